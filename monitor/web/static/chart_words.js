// Pure: what a chart says in words, beside the drawing and for those who do not see it.

const LOCALE = "en-GB";
const dayWords = new Intl.DateTimeFormat(LOCALE, { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
const monthWords = new Intl.DateTimeFormat(LOCALE, { month: "long", year: "numeric", timeZone: "UTC" });
export const number = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 2 });

export const count = (n, one, many = `${one}s`) => `${number.format(n)} ${n === 1 ? one : many}`;

export function when(t, unit) {
  if (unit === "month") return monthWords.format(t);
  return (unit === "week" ? "week of " : "") + dayWords.format(t);
}

export function value(v, spec) {
  if (v === null) return "no number";
  if (spec.format === "percent") return `${Math.round(v * 100)}%`;
  return spec.shape === "rank" ? `place ${v}` : `${number.format(v)} ${spec.unit_name ?? ""}`.trim();
}

/** What is known of one day (week, month) of a series, without its name and date. */
export function reading(p, spec) {
  if (p.gap) return `not read: ${[p.gap.outcome, p.gap.reason].filter(Boolean).join(", ").replaceAll("_", " ")}`;
  if (p.absent) return `no number: ${p.absent}`;
  if (p.beyond) return p.depth === null ? "read, not found" : `read, not among the ${number.format(p.depth)} results seen`;
  const said = [value(p.y, spec)];
  if (spec.precision && p.row[spec.precision] !== "exact") said[0] = `${String(p.row[spec.precision]).replace("_", " ")} ${said[0]}`;
  if (spec.second && p.second !== null) {
    said.push(spec.format === "percent" ? `${value(p.second, spec)} ${spec.second_name}` : `${number.format(p.second)} ${spec.second_name}`);
  }
  if (p.parts?.size > 1) said.push([...p.parts].map(([part, n]) => `${part} ${number.format(n)}`).join(", "));
  if (spec.complete && p.open) said.push(spec.open_name ?? "not complete");
  if (p.definition) said.push(`counts: ${p.definition}`);
  return said.join("; ");
}

/** One sentence on a whole series: its span, its range and its last value. */
export function summary(one, spec) {
  const name = one.name || spec.name;
  const known = one.points.filter((p) => p.y !== null);
  const span = `${when(one.points[0].t, spec.unit)} to ${when(one.points.at(-1).t, spec.unit)}`;
  if (!known.length) return `${name}: ${span}, no value.`;
  const low = known.reduce((a, p) => Math.min(a, p.y), Infinity);
  const high = known.reduce((a, p) => Math.max(a, p.y), -Infinity);
  const last = one.points.at(-1);
  const range = low === high ? `always ${value(low, spec)}` : `from ${value(low, spec)} to ${value(high, spec)}`;
  const gaps = one.gaps.size ? ` Not read on ${count(one.gaps.size, "day")}.` : "";
  return `${name}: ${span}, ${range}; last ${reading(last, spec)} (${when(last.t, spec.unit)}).${gaps}`;
}

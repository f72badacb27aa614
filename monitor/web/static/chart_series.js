// Pure: rows as Datasette gives them to series of points, and the days between them that were not read.
// Nothing here touches the page. Times are milliseconds since 1970, UTC midnight of the source's own day.

export const DAY = 86400000;
const OPERATORS = new Set(["exact", "gt", "gte", "lt", "lte"]);

/** "2026-11-22" or "2026-11" as a time; null for anything else, so that it is drawn nowhere. */
export function instant(value) {
  const found = /^(\d{4})-(\d\d)(?:-(\d\d))?$/.exec(String(value));
  if (!found) return null;
  const [year, month, day] = [Number(found[1]), Number(found[2]), Number(found[3] ?? 1)];
  const time = Date.UTC(year, month - 1, day);
  const back = new Date(time);
  return back.getUTCMonth() === month - 1 && back.getUTCDate() === day ? time : null;
}

/** A finite number, or null: text, null and NaN are never drawn as a value. */
export const number = (value) => (typeof value === "number" && Number.isFinite(value) ? value : null);

/** The beginning of the next day, week or month. */
export function after(time, unit) {
  if (unit !== "month") return time + (unit === "week" ? 7 : 1) * DAY;
  const date = new Date(time);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
}

/** Filters of the page that are about neither the days nor the series: with one, a day without a row may be hidden. */
export function otherFilters(params, spec) {
  const ours = new Set([...spec.series, ...(spec.source ? [spec.source, "source_id"] : [])]);
  const found = new Set();
  for (const [key, value] of params) {
    if (key === "_where" || key === "_through" || (key.startsWith("_search") && value)) found.add(key);
    if (key.startsWith("_") || value === "") continue;
    const [, column, operator = "exact"] = /^(.*?)(?:__([a-z]+))?$/.exec(key);
    if (column === spec.x ? !OPERATORS.has(operator) : !ours.has(column)) found.add(column);
  }
  return [...found];
}

/** The rows as objects, from `_shape=arrays`. */
export const objects = (table) => {
  const names = table.columns ?? [];
  return (table.rows ?? []).map((row) => Object.fromEntries(names.map((name, n) => [name, row[n]])));
};

function point(row, time, spec) {
  const value = number(row[spec.y]);
  const read = spec.state ? row[spec.state] === "read" : true;
  return {
    t: time,
    end: after(time, spec.unit),
    y: value !== null && (spec.shape !== "rank" || value >= 1) ? value : null,
    second: spec.second ? number(row[spec.second]) : null,
    depth: spec.depth ? number(row[spec.depth]) : null,
    open: Boolean((spec.complete && row[spec.complete] === 0) || (spec.precision && row[spec.precision] !== "exact")),
    beyond: spec.shape === "rank" && row[spec.y] === null,
    absent: spec.state && !read ? String(row[spec.state]) : "",
    definition: spec.definition ? String(row[spec.definition] ?? "") : "",
    reading: spec.reading ? number(row[spec.reading]) : null,
    row,
  };
}

/** One series per distinct key, in the order of their names; `dropped` counts the rows without a day. */
export function series(rows, spec) {
  const found = new Map();
  let dropped = 0;
  for (const row of rows) {
    const time = instant(row[spec.x]);
    if (time === null) {
      dropped += 1;
      continue;
    }
    const names = spec.series.map((column) => String(row[column] ?? ""));
    const key = JSON.stringify([...names, spec.source ? row[spec.source] : ""]);
    if (!found.has(key)) {
      const source = spec.source ? String(row[spec.source] ?? "") : "";
      found.set(key, { names, source, points: new Map(), gaps: new Map() });
    }
    add(found.get(key).points, point(row, time, spec), spec);
  }
  const all = [...found.values()];
  for (const one of all) {
    const twins = all.filter((other) => other.names.join() === one.names.join());
    one.name = [...one.names, ...(twins.length > 1 ? [one.source] : [])].filter(Boolean).join(", ") || (spec.series.length ? "(no name)" : "");
    one.points = [...one.points.values()].sort((a, b) => a.t - b.t);
  }
  return { all: all.sort((a, b) => a.name.localeCompare(b.name)), dropped };
}

function add(points, next, spec) {
  const before = points.get(next.t);
  if (!before) {
    points.set(next.t, next);
    if (spec.stack) next.parts = new Map([[String(next.row[spec.stack]), next.y ?? 0]]);
  } else if (spec.sum) {
    before.y = before.y === null && next.y === null ? null : (before.y ?? 0) + (next.y ?? 0);
    if (spec.second) before.second = (before.second ?? 0) + (next.second ?? 0);
    before.open = before.open || next.open;
    if (spec.stack) {
      const part = String(next.row[spec.stack]);
      before.parts.set(part, (before.parts.get(part) ?? 0) + (next.y ?? 0));
    }
  }
}

/** Give each series the days on which its source was asked in vain: `gaps` rows within the days drawn. */
export function addGaps(all, rows, days) {
  const bySource = new Map(all.map((one) => [one.source, []]));
  for (const one of all) bySource.get(one.source).push(one);
  for (const row of rows) {
    const time = instant(row.day);
    if (time === null || time < days[0] || time >= days[1]) continue;
    for (const one of bySource.get(row.source) ?? []) one.gaps.set(time, row);
  }
}

/** Runs of points of which nothing lies between: what a line may join. A changed definition begins a new run. */
export function runs(points, has) {
  const found = [];
  let last = null;
  for (const one of points) {
    if (!has(one)) {
      last = null;
      continue;
    }
    if (!last || last.end !== one.t || last.definition !== one.definition) found.push([]);
    found.at(-1).push(one);
    last = one;
  }
  return found;
}

/** Where the definition of a number changed: the first point of each new one. */
export const breaks = (points) => points.filter((p, n) => n > 0 && p.definition !== points[n - 1].definition);

function usualStep(points) {
  const steps = points.slice(1).map((p, n) => p.t - points[n].t);
  steps.sort((a, b) => a - b);
  return steps.length > 2 ? Math.max(DAY, steps[steps.length >> 1]) : DAY;
}

/** The stretches that were not read: days asked in vain and, with `between`, days without a row between two read. */
export function bands(one, between) {
  const read = new Set(one.points.map((p) => p.t));
  const found = [...one.gaps.keys()].filter((t) => !read.has(t)).map((t) => [t, t + DAY]);
  if (between) {
    const step = usualStep(one.points);
    one.points.slice(1).forEach((p, n) => {
      const from = one.points[n].t + step;
      if (p.t > from) found.push([from, p.t]);
    });
  }
  found.sort((a, b) => a[0] - b[0]);
  const joined = [];
  for (const [from, to] of found) {
    const last = joined.at(-1);
    if (last && from <= last[1]) last[1] = Math.max(last[1], to);
    else joined.push([from, to]);
  }
  return joined;
}

/** Everything a reader can step to in a row: its points, and the days asked in vain. */
export function steps(one) {
  const read = new Set(one.points.map((p) => p.t));
  const gaps = [...one.gaps].filter(([t]) => !read.has(t)).map(([t, row]) => ({ t, end: t + DAY, y: null, gap: row }));
  return [...one.points, ...gaps].sort((a, b) => a.t - b.t);
}

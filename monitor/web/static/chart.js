// The chart above a table of ours. It asks for the page's own rows as JSON, so that the page's filters drive it, and
// writes what it finds as text only. Without it the page is Datasette's table, which is the data.

import { colour, draw, LEFT, parts, RIGHT, shared } from "./chart_draw.js";
import { el, link } from "./chart_dom.js";
import { addGaps, after, bands, breaks, DAY, instant, objects, otherFilters, series, steps } from "./chart_series.js";
import { follow } from "./chart_follow.js";
import { count, number, reading, summary, value, when } from "./chart_words.js";

const MOST_ROWS = 24;

// --- asking ---------------------------------------------------------------------------------------------------------

async function ask(path, params) {
  const answer = await fetch(`${path}.json?${params}`, { headers: { accept: "application/json" } });
  const found = await answer.json().catch(() => ({}));
  if (!answer.ok || found.ok === false) throw new Error(found.error ?? `${answer.status} ${answer.statusText}`);
  return found;
}

function lean(spec, columns, sort) {
  const asked = new URLSearchParams({ _shape: "arrays", _size: "max", _extra: "columns,count", _nofacet: "1", _nosuggest: "1" });
  for (const column of columns) asked.append("_col", column);
  asked.set("_sort_desc", sort);
  return asked;
}

function ownRows(spec) {
  const columns = [
    spec.x, spec.y, ...spec.series, spec.source, spec.second, spec.depth, spec.state, spec.precision,
    spec.definition, spec.complete, spec.stack, spec.reading,
  ];
  const asked = lean(spec, new Set(columns.filter(Boolean)), spec.x);
  for (const [key, value] of new URLSearchParams(location.search)) {
    if (!key.startsWith("_") || key === "_where" || key === "_through" || key.startsWith("_search")) asked.append(key, value);
  }
  return ask(location.pathname, asked);
}

const aside = (spec, table, columns, days) => {
  const asked = lean(spec, columns, "day");
  asked.set("_nocount", "1");
  asked.set("day__gte", new Date(days[0]).toISOString().slice(0, 10));
  asked.set("day__lt", new Date(days[1]).toISOString().slice(0, 10));
  return ask(`${spec.database}/${table}`, asked).then(objects);
};

async function read(spec) {
  const table = await ownRows(spec);
  const rows = objects(table);
  const { all, dropped } = series(rows, spec);
  const total = table.count ?? table.filtered_table_rows_count ?? null;
  const found = { all, dropped, rows: rows.length, total, cut: table.next !== null && table.next !== undefined };
  found.others = otherFilters(new URLSearchParams(location.search), spec);
  if (!all.length) return found;
  const first = all.reduce((t, one) => Math.min(t, one.points[0].t), Infinity);
  const last = all.reduce((t, one) => Math.max(t, one.points.at(-1).end), -Infinity);
  found.trouble = [];
  const part = (name, columns, until) =>
    aside(spec, name, columns, [first, until]).catch((error) => {
      found.trouble.push(`${name}: ${error.message}`);
      return [];
    });
  const until = Math.max(last, lastDay(spec));
  const [gaps, events, milestones] = await Promise.all([
    spec.bands ? part("gaps", ["day", "source", "outcome", "reason", "reading_id"], until) : [],
    part("events", ["id", "day", "title"], last),
    part("milestones", ["day", "engine", "query", "milestone", "source", "reading_id"], last),
  ]);
  addGaps(all, gaps, [first, until]);
  const gapEnd = all.flatMap((one) => [...one.gaps.keys()]).reduce((t, day) => Math.max(t, after(day, "day")), last);
  found.days = [Math.min(first, atLeast(spec, gapEnd)), gapEnd];
  found.moments = moments(spec, all, events, milestones);
  return found;
}

/** Few weeks or months are drawn as narrow as many: room for eight at the least. */
function atLeast(spec, end) {
  if (spec.unit === "day") return Infinity;
  const last = new Date(end);
  return spec.unit === "week" ? end - 56 * DAY : Date.UTC(last.getUTCFullYear(), last.getUTCMonth() - 8, 1);
}

/** The last day that the page's own filters allow, or far away: days asked in vain may be later than the last row. */
function lastDay(spec) {
  const asked = new URLSearchParams(location.search);
  const ends = ["exact", "lt", "lte"].flatMap((how) => asked.getAll(`${spec.x}__${how}`).map((text) => [how, instant(text)]));
  const days = ends.filter(([, t]) => t !== null).map(([how, t]) => (how === "lt" ? t : after(t, "day")));
  return Math.min(Date.UTC(9999, 0, 1), ...days);
}

function moments(spec, all, events, milestones) {
  const sources = new Set(all.map((one) => one.source));
  const mine = spec.shape === "rank" ? milestones.filter((m) => sources.has(m.source)) : milestones;
  const found = [
    ...events.map((e) => ({ day: e.day, event: true, text: String(e.title), href: `${spec.database}/events/${Number(e.id)}` })),
    ...mine.map((m) => ({
      day: m.day, event: false, text: `${m.engine}: ${m.milestone}`, href: `${spec.readings}${Number(m.reading_id)}`,
    })),
  ];
  return found.map((m) => ({ ...m, t: instant(m.day) })).filter((m) => m.t !== null).sort((a, b) => b.t - a.t);
}

/** Where a point's number came from: its reading, or the rows that were added up. */
function evidence(p, one, spec) {
  const id = p.gap ? p.gap.reading_id : p.reading;
  if (Number.isInteger(id)) return spec.readings + id;
  if (!spec.rows) return "";
  const asked = new URLSearchParams({ day__gte: iso(p.t), day__lt: iso(p.end) });
  for (const column of spec.match ?? []) if (p.row?.[column] !== undefined) asked.set(`${column}__exact`, p.row[column]);
  return `${spec.database}/${spec.rows}?${asked}`;
}

const iso = (t) => new Date(t).toISOString().slice(0, 10);

// --- showing --------------------------------------------------------------------------------------------------------

function said(found, spec) {
  const lines = [];
  if (found.cut) {
    const rows = found.total ? `${number.format(found.rows)} of ${count(found.total, "row")}` : count(found.rows, "row");
    lines.push(`Only the newest ${rows} are drawn. Filter by ${spec.x} or ${spec.series[0] ?? spec.x} to see the others.`);
  }
  if (found.others.length && spec.bands === "between") {
    lines.push(`Filtered by ${found.others.join(", ")}: days that do not match are left empty, and not said to be unread.`);
  }
  if (found.dropped) lines.push(`${count(found.dropped, "row")} without a date ${found.dropped === 1 ? "is" : "are"} not drawn.`);
  if (found.all.length > MOST_ROWS) lines.push(`The first ${MOST_ROWS} of ${found.all.length} series are drawn. Filter to see the others.`);
  for (const name of found.trouble ?? []) lines.push(`Not shown, since it could not be read: ${name}.`);
  return lines;
}

function legend(found, spec) {
  const list = el("p", "m-chart-legend");
  const key = (kind, text) => {
    const item = el("span", "", text);
    item.prepend(el("i", `k ${kind}`));
    list.append(item);
    return item;
  };
  const any = (test) => found.all.some((one) => one.points.some(test));
  if (spec.stack) {
    parts(found.all).forEach((part, n) => key("k-bar", part).firstChild.style.setProperty("--k", colour(n)));
  } else key(spec.shape === "bars" ? "k-bar" : "k-line", spec.name);
  if (spec.second && any((p) => p.second !== null)) key("k-second", spec.second_name);
  if (spec.shape === "rank") key("k-goal", "goal: 1"), key("k-page-one", "end of page one");
  if (any((p) => p.beyond)) key("k-beyond", "read, not among the results seen");
  if (any((p) => p.open)) key(spec.shape === "bars" ? "k-part" : "k-open", spec.open_name ?? "not exact");
  if (any((p) => p.absent)) key("k-absent", "no number on the page");
  if (found.all.some((one) => breaks(one.points).length)) key("k-break", "counted differently from here on");
  const between = spec.bands === "between" && !found.others.length;
  if (spec.bands && found.all.some((one) => bands(one, between).length)) key("k-unread", "not read");
  if (found.moments.length) key("k-moment", "event or milestone");
  return list;
}

/** The names of events over the rows: as many as fit in two lines; all of them stand in the list below. */
function labels(found, width) {
  const box = el("div", "m-chart-moments");
  const inside = found.moments.filter((m) => m.t >= found.days[0] && m.t < found.days[1]);
  const scale = (width - LEFT - RIGHT) / (found.days[1] - found.days[0]);
  const taken = [[], []];
  const most = Math.min(170, width / 2.4);
  let shown = 0;
  for (const m of [...inside].sort((a, b) => b.event - a.event || b.t - a.t)) {
    const x = LEFT + (m.t - found.days[0]) * scale;
    const size = Math.min(most, m.text.length * 6.2 + 10);
    const left = x + size > width;
    const from = left ? x - size : x;
    const lane = taken.findIndex((lane) => lane.every(([a, b]) => from > b + 4 || from + size + 4 < a));
    if (lane < 0) continue;
    taken[lane].push([from, from + size]);
    const name = link(m.href, m.text, [m.event ? "event" : "", left ? "left" : ""].join(" ").trim());
    name.title = `${when(m.t, "day")}: ${m.text}`;
    name.style.cssText = `left:${from}px;top:${lane * 16}px;width:${size}px`;
    box.append(name);
    shown += 1;
  }
  box.style.height = `${taken.filter((lane) => lane.length).length * 16}px`;
  return { box, hidden: inside.length - shown, inside };
}

function list(inside, hidden) {
  const details = el("details", "m-chart-list");
  const rest = hidden ? ` (${hidden} without a label above)` : "";
  details.append(el("summary", "", `${count(inside.length, "event or milestone", "events and milestones")}${rest}`));
  const items = el("ul");
  for (const m of inside) {
    const item = el("li", "", `${when(m.t, "day")}: `);
    item.append(link(m.href, m.text));
    items.append(item);
  }
  details.append(items);
  return details;
}

function head(one, spec) {
  const title = el("p", "m-chart-name");
  const name = el("bdi", "", one.name || spec.name);
  title.append(name);
  const last = one.points.at(-1);
  const words = `${last.y === null ? reading(last, spec) : value(last.y, spec)}, ${when(last.t, spec.unit)}`;
  const href = evidence(last, one, spec);
  title.append(href ? link(href, words) : el("span", "", words));
  return title;
}

function show(figure, found, spec) {
  const width = Math.max(240, Math.floor(figure.firstElementChild.clientWidth));
  const all = found.all.slice(0, MOST_ROWS);
  const few = all.length === 1;
  const context = {
    width,
    height: few ? 190 : spec.shape === "rank" ? 84 : 72,
    days: found.days,
    px: (width - LEFT - RIGHT) / (found.days[1] - found.days[0]),
    whole: !found.others.length,
    moments: found.moments,
    parts: spec.stack ? parts(found.all) : [],
    scale: shared(all, spec),
  };
  const body = el("div", "m-chart-body");
  const { box, hidden, inside } = labels(found, width);
  const plots = el("div", "m-chart-plots");
  plots.tabIndex = 0;
  plots.setAttribute("role", "group");
  plots.setAttribute("aria-label", `${spec.name}: left and right arrow keys move in time, up and down between rows, Enter opens what a number was read from`);
  const rows = all.map((one, n) => {
    const row = el("div", "m-chart-row");
    const svg = draw(one, spec, { ...context, last: n === all.length - 1 });
    for (const part of svg.querySelectorAll("[aria-label]")) part.removeAttribute("aria-label"); // Plot's, on plain groups
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", summary(one, spec));
    row.append(head(one, spec), svg);
    plots.append(row);
    return { one, row, svg, steps: steps(one) };
  });
  body.append(...said(found, spec).map((text) => el("p", "m-chart-note", text)), legend(found, spec), box, plots);
  if (inside.length) body.append(list(inside, hidden));
  figure.replaceChildren(body);
  follow(plots, rows, context, spec, evidence);
}

// --- starting -------------------------------------------------------------------------------------------------------

async function start(figure) {
  const spec = JSON.parse(figure.dataset.chart);
  figure.append(el("p", "m-chart-wait", "Drawing…"));
  try {
    const found = await read(spec);
    if (!found.all.length) {
      figure.replaceChildren(el("p", "m-chart-wait", ["No rows to draw.", ...said(found, spec)].join(" ")));
      return;
    }
    let width = 0;
    const redraw = () => {
      if (figure.clientWidth === width) return;
      width = figure.clientWidth;
      show(figure, found, spec);
    };
    redraw();
    new ResizeObserver(() => requestAnimationFrame(redraw)).observe(figure);
  } catch (error) {
    figure.replaceChildren(el("p", "m-chart-note", `The chart could not be drawn: ${error.message}. The table below is complete.`));
  } finally {
    figure.dataset.drawn = "yes";
  }
}

document.querySelectorAll(".m-chart[data-chart]").forEach(start);

// One row of a chart as SVG, by Observable Plot. What it is given is text and numbers; colours come from the style sheet.

import * as Plot from "./vendor/plot.js";
import { bands, breaks, runs } from "./chart_series.js";

export const LEFT = 44;
export const RIGHT = 14;
const STACK = ["1", "2", "3", "4", "5", "6", "7", "8"].map((n) => `var(--c-${n})`);
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

const date = (t) => new Date(t);

/** A step over each run: every point holds for its own day (week, month) and no longer. */
function path(points, value) {
  return runs(points, (p) => value(p) !== null).flatMap((run, z) => [
    ...run.map((p) => ({ x: date(p.t), y: value(p), z })),
    { x: date(run.at(-1).end), y: value(run.at(-1)), z },
  ]);
}

/** Points too narrow to be seen as a line get a dot; so does a number on a profile that stands alone. */
const lonely = (points, value, px, shape) =>
  runs(points, (p) => value(p) !== null)
    .filter((run) => (run.at(-1).end - run[0].t) * px < 3 || (shape === "line" && run.length === 1))
    .map((run) => run[0]);

function rankScale(all) {
  const points = all.flatMap((one) => one.points);
  const lowest = points.reduce((most, p) => Math.max(most, p.y ?? 0), 20);
  const depths = new Set(points.filter((p) => p.beyond).map((p) => p.depth));
  const lane = lowest * 1.7;
  const word = depths.size === 1 && !depths.has(null) ? `>${[...depths][0]}` : ">";
  const ticks = [1, 3, 10, 30, 100, 300].filter((n) => n <= lowest);
  return {
    lane,
    ticks: depths.size ? [...ticks, lane] : ticks,
    format: (v) => (v === lane ? word : String(v)),
    y: { type: "log", domain: [lowest * (depths.size ? 2.2 : 1.1), 0.82] },
  };
}

function plainScale(one, spec) {
  const top = one.points.reduce((most, p) => Math.max(most, p.y ?? 0, p.second ?? 0), 0);
  const share = spec.format === "percent";
  return {
    ticks: undefined,
    format: share ? (v) => `${Math.round(v * 100)}%` : (v) => (Number.isInteger(v) ? compact.format(v) : ""),
    y: { domain: [0, share ? 1 : top * 1.08 || 1], nice: !share },
  };
}

function absences(one, spec, scale, context) {
  const marks = [
    Plot.rect(bands(one, spec.bands === "between" && context.whole), {
      x1: (b) => date(b[0]), x2: (b) => date(b[1]), fill: "var(--c-unread)", className: "c-unread",
    }),
  ];
  const beyond = one.points.filter((p) => p.beyond);
  if (!beyond.length) return marks;
  marks.push(Plot.ruleY([scale.lane], { stroke: "var(--c-rule)", className: "c-lane" }));
  const wide = (beyond[0].end - beyond[0].t) * context.px >= 5;
  const held = runs(one.points, (p) => p.beyond);
  marks.push(
    wide
      ? Plot.dot(beyond, {
          x: (p) => date((p.t + p.end) / 2), y: scale.lane, r: 2.5, stroke: "var(--c-beyond)", fill: "var(--c-card)",
          className: "c-beyond",
        })
      : Plot.rect(held, {
          x1: (r) => date(r[0].t), x2: (r) => date(r.at(-1).end), y1: scale.lane * 0.9, y2: scale.lane * 1.12,
          stroke: "var(--c-beyond)", fill: "var(--c-card)", className: "c-beyond",
        }),
  );
  return marks;
}

function values(one, spec, context) {
  const { px } = context;
  if (spec.shape === "stack") return stacked(one, context);
  if (spec.shape === "bars") return bars(one, spec);
  const marks = [];
  const alone = lonely(one.points, (p) => p.y, px, spec.shape);
  const line = path(one.points, (p) => (spec.shape === "line" && alone.includes(p) ? null : p.y));
  const options = { x: "x", z: "z", curve: "step-after" };
  if (spec.shape === "area") {
    marks.push(Plot.areaY(line, { ...options, y2: "y", y1: 0, fill: "var(--c-fill)", className: "c-area" }));
  }
  if (spec.second) {
    const second = path(one.points, (p) => p.second);
    const look = { stroke: "var(--c-second)", strokeWidth: 1.3, className: "c-second" };
    marks.push(Plot.line(second, { ...options, y: "y", ...look }));
    const dots = lonely(one.points, (p) => p.second, px);
    marks.push(Plot.dot(dots, { x: middle, y: "second", r: 2, fill: "var(--c-second)" }));
  }
  const look = { stroke: "var(--c-line)", strokeWidth: spec.shape === "rank" ? 2 : 1.5, className: "c-line" };
  marks.push(Plot.line(line, { ...options, y: "y", ...look }));
  const dots = alone.filter((p) => !p.open);
  marks.push(Plot.dot(dots, { x: middle, y: "y", r: 2.6, fill: "var(--c-line)", className: "c-dot" }));
  const open = one.points.filter((p) => p.open && p.y !== null);
  const ring = { r: 3, stroke: "var(--c-line)", fill: "var(--c-card)", className: "c-open" };
  marks.push(Plot.dot(open, { x: middle, y: "y", ...ring }));
  const absent = one.points.filter((p) => p.absent);
  marks.push(Plot.dot(absent, { x: middle, y: 0, symbol: "times", r: 3.5, stroke: "var(--c-bad)", className: "c-absent" }));
  return marks;
}

const middle = (p) => date((p.t + p.end) / 2);

function bars(one, spec) {
  const known = one.points.filter((p) => p.y !== null);
  const box = { x1: (p) => date(p.t), x2: (p) => date(p.end), y2: "y", y1: 0, insetLeft: 0.5, insetRight: 0.5 };
  const marks = [
    Plot.rectY(known.filter((p) => !p.open), { ...box, fill: "var(--c-bar)", className: "c-bar" }),
    Plot.rectY(known.filter((p) => p.open), {
      ...box, fill: "var(--c-fill)", stroke: "var(--c-bar)", strokeDasharray: "2 2", className: "c-bar c-part",
    }),
  ];
  if (spec.second) {
    const second = path(one.points, (p) => p.second);
    const look = { stroke: "var(--c-second)", strokeWidth: 1.5, className: "c-second" };
    marks.push(Plot.line(second, { x: "x", y: "y", z: "z", curve: "step-after", ...look }));
  }
  return marks;
}

/** The parts of all stacks, those with most first: the order of colours and of the legend. */
export function parts(all) {
  const sums = new Map();
  for (const p of all.flatMap((one) => one.points)) {
    for (const [part, n] of p.parts ?? []) sums.set(part, (sums.get(part) ?? 0) + n);
  }
  return [...sums].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0])).map(([part]) => part);
}

export const colour = (n) => STACK[Math.min(n, STACK.length - 1)];

function stacked(one, context) {
  const boxes = one.points.flatMap((p) => {
    let y = 0;
    return context.parts.flatMap((part, n) => {
      const size = p.parts.get(part) ?? 0;
      y += size;
      return size ? [{ p, y1: y - size, y2: y, n }] : [];
    });
  });
  const look = { fill: (b) => colour(b.n), insetLeft: 1, insetRight: 1, insetTop: 0.5, className: "c-bar" };
  return [Plot.rect(boxes, { x1: (b) => date(b.p.t), x2: (b) => date(b.p.end), y1: "y1", y2: "y2", ...look })];
}

function furniture(one, spec, scale, context) {
  const ranks = spec.shape === "rank";
  const lines = context.moments.filter((m) => m.t >= context.days[0] && m.t < context.days[1]);
  return [
    Plot.gridY({ ticks: scale.ticks ?? 3, stroke: "var(--c-rule)", strokeOpacity: 1 }),
    Plot.axisY({
      ticks: scale.ticks ?? 3, tickFormat: scale.format, tickSize: 0, label: null, fill: "var(--c-soft)",
    }),
    ranks ? Plot.ruleY([10], { stroke: "var(--c-soft)", strokeDasharray: "1 3", className: "c-page-one" }) : null,
    ranks ? Plot.ruleY([1], { stroke: "var(--c-good)", strokeDasharray: "4 3", className: "c-goal" }) : null,
    Plot.ruleX(lines, {
      x: (m) => date(m.t), stroke: (m) => (m.event ? "var(--c-event)" : "var(--c-soft)"),
      strokeDasharray: "2 2", strokeOpacity: 0.8, className: "c-moment",
    }),
    Plot.ruleX(breaks(one.points), {
      x: (p) => date(p.t), stroke: "var(--c-bad)", strokeDasharray: "6 2", className: "c-break",
    }),
  ];
}

/** The scale that rows share; rows of plain numbers each have their own. */
export const shared = (all, spec) => (spec.shape === "rank" ? rankScale(all) : null);

/** The drawing of one series; `scale("x")` and `scale("y")` of what is returned turn values into pixels. */
export function draw(one, spec, context) {
  const scale = context.scale ?? plainScale(one, spec);
  const bottom = context.last ? 24 : 5;
  return Plot.plot({
    width: context.width,
    height: context.height + bottom,
    marginLeft: LEFT, marginRight: RIGHT, marginTop: 7, marginBottom: bottom,
    style: { fontSize: "11px", fontFamily: "inherit", background: "none", overflow: "visible" },
    x: { type: "utc", domain: context.days.map(date), axis: null },
    y: { ...scale.y, axis: null },
    marks: [
      absences(one, spec, scale, context),
      furniture(one, spec, scale, context),
      values(one, spec, context),
      context.last ? Plot.axisX({ ticks: Math.max(2, Math.floor(context.width / 90)), label: null, fill: "var(--c-soft)" }) : null,
    ],
  });
}

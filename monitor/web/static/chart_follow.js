// Pointing and stepping: which day is meant, what is said of it, and the way to what it was read from.

import { el, link } from "./chart_dom.js";
import { LEFT } from "./chart_draw.js";
import { reading, when } from "./chart_words.js";

function nearest(points, t) {
  let [low, high] = [0, points.length - 1];
  while (low < high) {
    const half = (low + high) >> 1;
    if (points[half].end <= t) low = half + 1;
    else high = half;
  }
  const before = points[low - 1];
  return before && points[low].t > t && t - before.end < points[low].t - t ? low - 1 : low;
}

/** Let a pointer and the arrow keys step through the rows; `evidence` says where a point's number came from. */
export function follow(plots, rows, context, spec, evidence) {
  const tip = el("div", "m-chart-tip");
  tip.setAttribute("role", "status");
  const line = el("div", "m-chart-cross");
  tip.hidden = line.hidden = true;
  plots.append(line, tip);
  let at = null;

  const place = (row, n, byKey) => {
    at = { row, n };
    const { one, row: box, svg, steps: points } = rows[row];
    const p = points[n];
    const x = LEFT + ((p.t + p.end) / 2 - context.days[0]) * context.px;
    tip.replaceChildren(el("b", "", `${one.name || spec.name}, ${when(p.t, spec.unit)}`), el("br"));
    const href = evidence(p, one, spec);
    tip.append(href ? link(href, reading(p, spec)) : el("span", "", reading(p, spec)));
    tip.classList.toggle("m-chart-held", byKey);
    tip.hidden = line.hidden = false;
    line.style.cssText = `left:${x}px;top:${box.offsetTop + svg.clientTop + 18}px;height:${box.offsetHeight - 18}px`;
    const left = x + 14 + tip.offsetWidth < context.width ? x + 14 : Math.max(0, x - 14 - tip.offsetWidth);
    tip.style.cssText = `left:${left}px;top:${box.offsetTop + 22}px`;
  };
  const hide = () => {
    tip.hidden = line.hidden = true;
    at = null;
  };
  const point = (event) => {
    const row = rows.findIndex(({ row: box }) => {
      const { top, bottom } = box.getBoundingClientRect();
      return event.clientY >= top && event.clientY <= bottom;
    });
    if (row < 0 || tip.contains(event.target)) return false;
    const x = event.clientX - plots.getBoundingClientRect().left;
    const n = nearest(rows[row].steps, context.days[0] + (x - LEFT) / context.px);
    place(row, n, event.pointerType !== "mouse");
    return true;
  };
  plots.addEventListener("pointermove", (event) => event.pointerType === "mouse" && point(event));
  plots.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && document.activeElement !== plots && hide());
  plots.addEventListener("click", (event) => {
    if (event.target.closest("a")) return;
    if (point(event) && event.pointerType === "mouse") open();
  });
  const open = () => {
    const to = tip.querySelector("a");
    if (to && !tip.hidden) to.click();
  };
  plots.addEventListener("focus", () => at || (plots.matches(":focus-visible") && place(0, rows[0].steps.length - 1, true)));
  plots.addEventListener("blur", (event) => plots.contains(event.relatedTarget) || hide());
  plots.addEventListener("keydown", (event) => {
    if (event.target !== plots || event.ctrlKey || event.metaKey || event.altKey) return;
    const now = at ?? { row: 0, n: rows[0].steps.length - 1 };
    if (event.key === "Enter") open();
    else if (event.key === "Escape") hide();
    else if (!move(event.key, now)) return;
    event.preventDefault();
  });
  const move = (key, now) => {
    const points = rows[now.row].steps;
    const by = { ArrowLeft: -1, ArrowRight: 1, PageUp: -30, PageDown: 30, Home: -Infinity, End: Infinity }[key];
    const down = { ArrowUp: -1, ArrowDown: 1 }[key];
    if (by === undefined && down === undefined) return false;
    if (by !== undefined) place(now.row, Math.min(points.length - 1, Math.max(0, now.n + by)), true);
    else {
      const row = Math.min(rows.length - 1, Math.max(0, now.row + down));
      place(row, nearest(rows[row].steps, points[now.n].t), true);
    }
    return true;
  };
}

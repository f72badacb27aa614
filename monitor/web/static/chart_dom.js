// Elements made of text: nothing of what was read is ever parsed as HTML.

export function el(name, kind, text) {
  const made = document.createElement(name);
  if (kind) made.className = kind;
  if (text !== undefined) made.textContent = text;
  return made;
}

export function link(href, text, kind) {
  const made = el("a", kind, text);
  made.href = href;
  return made;
}

// The area below the table while a row is open: facts, small tables, a log that follows its end.
const copier = text => quiet("Copy", "Copy " + text, ({ target }) =>
  navigator.clipboard?.writeText(text).then(() => { target.textContent = "Copied" }))
const facts = fields => make("dl", {}, ...fields.flatMap(([name, text, copy]) =>
  [make("dt", {}, name), make("dd", {}, words(text), copy && copier(text))]))
const inBox = cell => {
  const box = make("div.text")
  fill(box, cell)
  return box
}
const line = (tag, inside, scope) => make("tr", {}, ...inside.map(one => make(tag, scope, one)))
const smallTable = ({ title, columns, rows }) => make("table", {}, make("caption", {}, title),
  line("th", columns, { scope: "col" }), ...rows.map(row => line("td", row.map(inBox))))
const atEnd = pre => pre.scrollTop + pre.clientHeight > pre.scrollHeight - 9
const toEnd = pre => { pre.scrollTop = 1e9 }
const addTo = (pre, more, all) => {
  const follows = atEnd(pre)
  pre.childNodes.length < 99 ? pre.append(more) : pre.textContent = all
  if (follows) toEnd(pre)
}
const detailArea = ({ title, fields, tables, actions }, log, button, close) => make("section", { ariaLabel: title },
  make("header", {}, make("h4", {}, words(title)), ...actions.map(button), quiet("✕", "Close the details", close)),
  fields.length && facts(fields), ...tables.map(smallTable), log)

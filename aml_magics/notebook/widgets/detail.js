// The area below the table while a row is open: facts, small tables, a log that follows its end.
const LONGEST_LOG = 200000

const copier = text => make("button", {
  className: "aml-quiet", textContent: "Copy", ariaLabel: "Copy " + text,
  onclick: event => navigator.clipboard.writeText(text).then(() => { event.target.textContent = "Copied" },
    () => { event.target.textContent = "Select it and copy" }),
})
const facts = fields => make("dl", {}, ...fields.flatMap(([name, text, copy]) => [
  make("dt", { textContent: name }),
  make("dd", { dir: "auto" }, make("span", { textContent: text }), ...(copy ? [copier(text)] : []))]))
const smallTable = ({ title, columns, rows }) => {
  const cell = value => { const box = make("div", { className: "aml-text" }); fill(box, value); return make("td", {}, box) }
  return make("table", {}, make("caption", { textContent: title }),
    make("thead", {}, make("tr", {}, ...columns.map(name => make("th", { scope: "col", textContent: name })))),
    make("tbody", {}, ...rows.map(row => make("tr", {}, ...row.map(cell)))))
}
class Log {
  constructor(text) {
    this.pre = make("pre", { tabIndex: 0, role: "log", ariaLabel: "Log", onscroll: () => this.mark() }, text)
    this.jump = make("button", { className: "aml-quiet", textContent: "↓ Follow the end", hidden: true, onclick: () => this.end() })
    this.box = make("div", { className: "aml-log" }, this.pre, this.jump)
    this.length = text.length
  }
  atEnd() { return this.pre.scrollTop + this.pre.clientHeight > this.pre.scrollHeight - 8 }
  mark() { this.jump.hidden = this.atEnd() }
  end() { this.pre.scrollTop = this.pre.scrollHeight; this.mark() }
  add(text) {
    const follow = this.atEnd()
    this.pre.append(text)
    this.length += text.length
    while (this.length > LONGEST_LOG && this.pre.childNodes.length > 1) {
      this.length -= this.pre.firstChild.length
      this.pre.firstChild.remove()
    }
    follow ? this.end() : this.mark()
  }
}
const detailArea = (detail, log, button, close) => {
  const follower = detail.log ? new Log(log) : null
  const box = make("section", { className: "aml-detail", ariaLabel: detail.title },
    make("header", {}, make("h4", { textContent: detail.title, dir: "auto" }), ...detail.actions.map(button),
      make("button", { className: "aml-quiet", textContent: "✕", ariaLabel: "Close the details", onclick: close })),
    ...(detail.fields.length ? [facts(detail.fields)] : []), ...detail.tables.map(smallTable), ...(follower ? [follower.box] : []))
  return { box, follower }
}

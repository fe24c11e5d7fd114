
// A click on a column's name sorts by it, numbers from the largest, words from the first; another click turns it round.
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0], heads = [...table.tHead.rows[0].cells];
  const value = (cell, numeric) => {
    if (cell.textContent === "—" || !numeric) return cell.textContent === "—" ? null : cell.textContent;
    return Number(cell.dataset.v || cell.textContent);
  };
  heads.forEach((head, column) => {
    const numeric = head.dataset.kind === "number";
    if (head.dataset.kind === "plain") return;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const first = numeric ? "descending" : "ascending", other = numeric ? "ascending" : "descending";
      const order = head.getAttribute("aria-sort") === first ? other : first;
      const sign = order === "ascending" ? 1 : -1;
      const words = new Intl.Collator(document.documentElement.lang, { numeric: true });
      const compare = numeric ? (a, b) => a - b : words.compare;
      const keyed = [...body.rows].map((row) => [value(row.cells[column], numeric), row]);
      keyed.sort(([a], [b]) => (a === null || b === null ? (a === null) - (b === null) : sign * compare(a, b)));
      body.append(...keyed.map(([, row]) => row));
      heads.forEach((each) => each.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", order);
    });
  });
}

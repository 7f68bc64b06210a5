// Sorts the rows of a table by the column whose heading is pressed, and shows those that fit what is chosen above it.
(function () {
  "use strict";
  for (const board of document.querySelectorAll(".board:not([data-ready])")) {
    board.dataset.ready = "yes"; // a notebook may show several
    const body = board.querySelector("tbody"), rows = [...body.rows];
    const headings = [...board.querySelectorAll("thead th")], count = board.querySelector(".board-count");
    const choices = [...board.querySelectorAll("select")];
    const value = (row, column) => row.cells[column].dataset.value ?? row.cells[column].textContent;

    function show() {
      let shown = 0;
      for (const row of rows) {
        row.hidden = !choices.every((choice) => !choice.value || value(row, Number(choice.dataset.column)) === choice.value);
        shown += !row.hidden;
      }
      count.textContent = `${shown} of ${rows.length} rows`;
    }

    function sort(column) {
      const heading = headings[column], numbers = heading.dataset.kind === "number";
      const direction = heading.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      for (const other of headings) other.removeAttribute("aria-sort");
      heading.setAttribute("aria-sort", direction === 1 ? "ascending" : "descending");
      const compare = (a, b) => (numbers ? a - b : a.localeCompare(b));
      rows.sort((a, b) => direction * compare(value(a, column), value(b, column)));
      body.append(...rows);
    }

    headings.forEach((heading, column) => heading.querySelector("button").addEventListener("click", () => sort(column)));
    for (const choice of choices) choice.addEventListener("change", show);
    show();
  }
})();

"use strict";
// On a phone the rows of a list are cards without the table's head: a bare number, time or tick gets its
// column's name, and what is empty stays away (admin.css).
document.addEventListener("DOMContentLoaded", () => {
  const heads = [...document.querySelectorAll("#result_list thead th")].map((head) => head.textContent.trim());
  for (const row of document.querySelectorAll("#result_list tbody tr")) {
    [...row.cells].forEach((cell, column) => {
      const text = cell.textContent.trim();
      if (text === "—") {
        cell.classList.add("is-empty");
      } else if (/^[\d….]*$/.test(text) || cell.querySelector("time, img")) {
        if (heads[column]) cell.dataset.label = `${heads[column]}:`;
      }
    });
  }
});

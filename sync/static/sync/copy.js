"use strict";
// A button that copies the text of a field: data-copies names the field, data-done is what it says then.
document.addEventListener("DOMContentLoaded", () => {
  for (const button of document.querySelectorAll("button[data-copies]")) {
    button.addEventListener("click", async () => {
      const field = document.getElementById(button.dataset.copies);
      field.select();
      try {
        await navigator.clipboard.writeText(field.value);
      } catch {
        document.execCommand("copy"); // without https there is no clipboard object
      }
      button.textContent = button.dataset.done;
    });
  }
});

// What scrolls sideways must be reachable with the keyboard; what does not must not be a stop on the way.
const boxes = document.querySelectorAll(".katex-display, .pst-scrollable-table-container, .output.text_html, .panels");

function mark() {
  for (const box of boxes) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}

addEventListener("resize", mark);
addEventListener("toggle", mark, true); // what was folded away had no width
document.fonts.ready.then(mark);
mark();

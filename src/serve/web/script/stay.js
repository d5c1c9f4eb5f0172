// A panel stays in view while the page is scrolled, as long as all of it fits into the window. A taller one is scrolled
// through: if it stayed, its end could not be reached before the end of the page.
export function stayWhereItFits(panel) {
    const show = () => panel.classList.toggle("stays", panel.offsetHeight + 32 <= window.innerHeight);
    new ResizeObserver(show).observe(panel);
    window.addEventListener("resize", show);
}

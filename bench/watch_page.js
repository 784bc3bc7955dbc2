// Put into a page before its own scripts: notes when the chart is on the screen, and when it
// answers to a pointer. With the frame in question goes a speck of text, of which the browser
// tells when it was on the screen (Element Timing): to the same clock as its first paint.
(({ chart, over, readout }) => {
  const marks = (window.marks = {});
  let resting, side = 0;

  new PerformanceObserver((list) => {
    for (const { identifier, renderTime } of list.getEntries()) marks[identifier] = renderTime;
    if (marks.answer > 0) document.documentElement.dataset.answered = "";
  }).observe({ type: "element", buffered: true });

  const seen = (name) => {
    const speck = document.createElement("span");
    speck.setAttribute("elementtiming", name);
    speck.textContent = ".";
    speck.style.cssText = "position: fixed; left: 0; bottom: 0";
    document.body.append(speck);
    marks[name] = 0;
  };

  const said = () => document.querySelector(readout).textContent;

  const point = (target) => {
    const { left, top, width, height } = target.getBoundingClientRect();
    const [clientX, clientY] = [left + width * (0.4 + 0.2 * side), top + height / 2];
    side = 1 - side;
    for (const kind of ["mouseenter", "mousemove"])
      target.dispatchEvent(new MouseEvent(kind, { clientX, clientY, bubbles: true }));
  };

  // Before each frame, and so as soon as anything can be seen of it.
  const look = () => {
    if (marks.chart === undefined && document.querySelector(chart)) seen("chart");
    const target = document.querySelector(over);
    if (target) {
      resting ??= said();
      point(target);
      if (said() !== resting) return seen("answer");
    }
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})(PAGE);

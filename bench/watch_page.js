// Put into a page before its own scripts: notes when the chart is on the screen, and when it
// answers to a pointer. A time is taken in a task after the frame in question was painted.
(({ chart, over, readout }) => {
  const marks = (window.marks = {});
  let resting, side = 0;

  const painted = (name) => {
    marks[name] = 0;
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      marks[name] = performance.now();
      if (marks.answer > 0) document.documentElement.dataset.answered = "";
    };
    port2.postMessage(0);
  };

  const isDrawn = () => document.querySelector(chart)?.getBoundingClientRect().width > 0;

  const point = (target) => {
    const { left, top, width, height } = target.getBoundingClientRect();
    const where = { clientX: left + width * (0.4 + 0.2 * side), clientY: top + height / 2, bubbles: true };
    side = 1 - side;
    for (const kind of ["mouseenter", "mousemove"]) target.dispatchEvent(new MouseEvent(kind, where));
  };

  const look = () => {
    if (marks.chart === undefined && isDrawn()) painted("chart");
    const target = document.querySelector(over);
    if (target) {
      resting ??= document.querySelector(readout).textContent;
      if (document.querySelector(readout).textContent !== resting) return painted("answer");
      point(target);
      if (document.querySelector(readout).textContent !== resting) return painted("answer");
    }
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})(PAGE);

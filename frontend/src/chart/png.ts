/** A chart as a picture file: title, legend, plot, and where it is from. Loaded when it is asked for. */
import type { Frame } from "./frame";
import type { Stage } from "./plot";

const RATIO = 2;
const EDGE = 20;
const TITLE = 19;
const TEXT = 13;
const LINE = 22;
const COLUMN = 250;
const SWATCH = 16;

export async function photograph(stage: Stage, title: string, attribution: string): Promise<Blob> {
  const sheet = new Sheet(stage);
  await document.fonts.ready;
  sheet.write(title, EDGE, TITLE, "--ink", "650");
  sheet.down(LINE + 8);
  sheet.legend();
  sheet.chart();
  sheet.write(stage.readout.span(), EDGE, TEXT, "--soft");
  if (attribution) sheet.writeRight(attribution);
  return sheet.blob();
}

/** A canvas that is written from top to bottom; lengths are those of the page. */
class Sheet {
  private readonly canvas = document.createElement("canvas");
  private readonly ctx: CanvasRenderingContext2D;
  private readonly frame: Frame;
  private readonly width: number;
  private y = EDGE;

  constructor(readonly stage: Stage) {
    const { plot } = stage;
    this.width = plot!.width + 2 * EDGE;
    this.ctx = this.canvas.getContext("2d")!;
    this.frame = stage.frame(this.ctx, RATIO);
    this.canvas.width = this.width * RATIO;
    this.canvas.height = (plot!.height + 2 * EDGE + LINE + 8 + this.rows() * LINE + 2 * LINE) * RATIO;
    this.ctx.fillStyle = this.frame.ink("--card");
    this.ctx.fillRect(0, 0, this.canvas.width, this.canvas.height);
  }

  private columns(): number {
    return Math.max(Math.floor((this.width - 2 * EDGE) / COLUMN), 1);
  }

  private rows(): number {
    return Math.ceil(this.stage.picture.lines.length / this.columns());
  }

  down(by: number): void {
    this.y += by;
  }

  private font(size: number, weight = "400"): void {
    this.ctx.font = `${weight} ${size * RATIO}px ${this.frame.font}`;
  }

  write(text: string, x: number, size: number, ink: string, weight?: string): number {
    this.font(size, weight);
    this.ctx.textAlign = "left";
    this.ctx.textBaseline = "alphabetic";
    this.ctx.fillStyle = this.frame.ink(ink);
    this.ctx.fillText(text, x * RATIO, (this.y + size) * RATIO);
    return this.ctx.measureText(text).width / RATIO;
  }

  /** At the right end of the line, or under it where that is taken. */
  writeRight(text: string): void {
    this.font(TEXT);
    const wide = this.ctx.measureText(text).width / RATIO;
    if (wide > this.width / 2 - EDGE) this.down(LINE);
    this.write(text, Math.max(this.width - EDGE - wide, EDGE), TEXT, "--soft");
  }

  /** Every line's stroke, name and value, as the legend of the page tells them. */
  legend(): void {
    const { picture, readout } = this.stage;
    const columns = this.columns();
    picture.lines.forEach((line, index) => {
      const x = EDGE + (index % columns) * COLUMN;
      this.swatch(index, x);
      const name = this.write(line.name, x + SWATCH + 6, TEXT, "--ink", "600");
      const parts = readout.said(index).map((part) => (typeof part === "string" ? part : part.textContent));
      this.write(parts.join(""), x + SWATCH + 14 + name, TEXT, "--soft");
      if (index % columns === columns - 1 || index === picture.lines.length - 1) this.down(LINE);
    });
  }

  private swatch(index: number, x: number): void {
    this.ctx.fillStyle = this.frame.ink(`--s${index + 1}`);
    // From the sixth line on, strokes are dashed.
    const parts = index < 5 ? [[0, SWATCH]] : [[0, 6], [SWATCH - 6, 6]];
    const y = (this.y + TEXT / 2 + 1) * RATIO;
    for (const [from, wide] of parts) this.ctx.fillRect((x + from!) * RATIO, y, wide! * RATIO, 3 * RATIO);
  }

  chart(): void {
    this.ctx.save();
    this.ctx.translate(EDGE * RATIO, this.y * RATIO);
    this.stage.paint(this.frame);
    this.ctx.restore();
    this.down(this.stage.plot!.height + 8);
  }

  blob(): Promise<Blob> {
    return new Promise((resolve, reject) => {
      this.canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no PNG"))), "image/png");
    });
  }
}

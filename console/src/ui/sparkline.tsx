import { useEffect, useRef } from "preact/hooks";
import { theme } from "../app/theme.ts";

interface SparklineProps {
  /** Oldest first; null where nothing is known. */
  values: readonly (number | null)[];
  /** How many the width is for: fewer stand at the right. */
  slots?: number;
  label: string;
}

/** Bars from zero. Where nothing is known there is a gap, where it is zero a line. */
export function Sparkline({ values, slots = 60, label }: SparklineProps) {
  const ref = useRef<HTMLCanvasElement>(null);
  const shade = theme.value;
  useEffect(() => {
    if (ref.current) draw(ref.current, values, slots);
  }, [values, slots, shade]);
  return <canvas ref={ref} class="spark" role="img" aria-label={label} />;
}

function draw(canvas: HTMLCanvasElement, values: readonly (number | null)[], slots: number): void {
  const ratio = devicePixelRatio || 1;
  const width = Math.round(canvas.clientWidth * ratio);
  const height = Math.round(canvas.clientHeight * ratio);
  if (!width || !height) return;
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  if (!context) return;
  const shown = values.slice(-slots);
  const highest = Math.max(1e-9, ...shown.map((value) => value ?? 0));
  const step = width / slots;
  const style = getComputedStyle(canvas);
  context.fillStyle = style.getPropertyValue("color");
  for (const [index, value] of shown.entries()) {
    if (value === null) continue;
    const tall = Math.max(ratio, (value / highest) * (height - ratio));
    const x = width - (shown.length - index) * step;
    context.fillRect(Math.round(x), height - tall, Math.max(1, Math.floor(step - (step > 3 ? ratio : 0))), tall);
  }
}

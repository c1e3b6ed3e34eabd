/** Where a picture lies in its frame: `scale` picture pixels to screen pixels, `x` and `y` of its corner. */
export interface Placing {
  readonly scale: number;
  readonly x: number;
  readonly y: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

const MOST = 8;
const LEAST = 0.05;

/** The whole picture, in the middle; never larger than it is. */
export function fit(picture: Size, frame: Size): Placing {
  if (picture.width <= 0 || picture.height <= 0) return { scale: 1, x: 0, y: 0 };
  const scale = Math.min(frame.width / picture.width, frame.height / picture.height, 1);
  return { scale, x: (frame.width - picture.width * scale) / 2, y: (frame.height - picture.height * scale) / 2 };
}

/** Larger or smaller by `factor`, with the point under (`cx`, `cy`) staying where it is. */
export function zoom(placing: Placing, factor: number, cx: number, cy: number): Placing {
  const scale = Math.min(MOST, Math.max(LEAST, placing.scale * factor));
  const ratio = scale / placing.scale;
  return { scale, x: cx - (cx - placing.x) * ratio, y: cy - (cy - placing.y) * ratio };
}

/** Moved, but never so far that nothing of the picture is left in the frame. */
export function pan(placing: Placing, dx: number, dy: number, picture: Size, frame: Size): Placing {
  const keep = 48;
  const hold = (value: number, size: number, room: number): number => Math.min(room - keep, Math.max(keep - size, value));
  return {
    scale: placing.scale,
    x: hold(placing.x + dx, picture.width * placing.scale, frame.width),
    y: hold(placing.y + dy, picture.height * placing.scale, frame.height),
  };
}

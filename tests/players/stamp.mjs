// The clock in the picture: 48 squares in the upper left corner of the luma plane, black or white.
//
//   8 bits  sync, 10100110
//  32 bits  milliseconds, modulo 2^32
//   8 bits  CRC-8 (polynomial 0x07) of those four bytes
//
// Two rows of 24 squares of 16 pixels; most significant bit first. Used by the camera and by the
// page, so it imports nothing.

export const SQUARE = 16;
export const COLUMNS = 24;
export const ROWS = 2;
export const WIDTH = SQUARE * COLUMNS;
export const HEIGHT = SQUARE * ROWS;

const SYNC = 0b10100110;
const BLACK = 16;
const WHITE = 235;

function crc8(bytes) {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let i = 0; i < 8; i++) crc = crc & 0x80 ? ((crc << 1) ^ 0x07) & 0xff : crc << 1;
  }
  return crc;
}

function bytesOf(ms) {
  const low = ms % 2 ** 32;
  const time = [Math.floor(low / 2 ** 24), (low >>> 16) & 0xff, (low >>> 8) & 0xff, low & 0xff];
  return [SYNC, ...time, crc8(time)];
}

/** Draws `ms` into a luma plane with rows of `stride` bytes. */
export function draw(luma, stride, ms) {
  bytesOf(ms).forEach((byte, index) => {
    for (let bit = 0; bit < 8; bit++) {
      const square = index * 8 + bit;
      const x = (square % COLUMNS) * SQUARE;
      const y = Math.floor(square / COLUMNS) * SQUARE;
      const value = byte & (0x80 >> bit) ? WHITE : BLACK;
      for (let row = y; row < y + SQUARE; row++) {
        luma.fill(value, row * stride + x, row * stride + x + SQUARE);
      }
    }
  });
}

/**
 * Milliseconds modulo 2^32, or null when the squares say nothing. `rgba` is WIDTH x HEIGHT pixels.
 */
export function read(rgba) {
  const bytes = [];
  for (let square = 0; square < COLUMNS * ROWS; square++) {
    const x = (square % COLUMNS) * SQUARE + SQUARE / 2;
    const y = Math.floor(square / COLUMNS) * SQUARE + SQUARE / 2;
    const bit = rgba[(y * WIDTH + x) * 4] > 128 ? 1 : 0;
    const index = square >> 3;
    bytes[index] = ((bytes[index] ?? 0) << 1) | bit;
  }
  const [sync, a, b, c, d, crc] = bytes;
  if (sync !== SYNC || crc8([a, b, c, d]) !== crc) return null;
  return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
}

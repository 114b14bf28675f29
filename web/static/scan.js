// Reads the QR code in a picture by jsQR, which stands in its own file (jsqr.js).
"use strict";

const scan = (() => {
  // smooth gives a picture of twice the size in which each point has a little of those around it:
  // what noise and small modules need.
  function smooth(points, width, height) {
    const soft = new Float32Array(width * height);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        let sum = 0;
        let weight = 0;
        for (let dy = y > 0 ? -1 : 0; dy <= 1 && y + dy < height; dy++) {
          for (let dx = x > 0 ? -1 : 0; dx <= 1 && x + dx < width; dx++) {
            const w = (2 - dx * dx) * (2 - dy * dy);
            const at = ((y + dy) * width + x + dx) * 4;
            sum += w * (0.3 * points[at] + 0.6 * points[at + 1] + 0.1 * points[at + 2]);
            weight += w;
          }
        }
        soft[y * width + x] = sum / weight;
      }
    }
    return doubled(soft, width, height);
  }

  function doubled(soft, width, height) {
    const out = new Uint8ClampedArray(width * height * 16);
    const at = (x, y) => soft[Math.max(0, Math.min(y, height - 1)) * width + Math.max(0, Math.min(x, width - 1))];
    for (let y = 0; y < 2 * height; y++) {
      for (let x = 0; x < 2 * width; x++) {
        const [nx, ny] = [x >> 1, y >> 1];
        const [sx, sy] = [nx + (x % 2 ? 1 : -1), ny + (y % 2 ? 1 : -1)]; // the neighbours on the side of this half
        const to = (y * 2 * width + x) * 4;
        out[to] = out[to + 1] = out[to + 2] = (9 * at(nx, ny) + 3 * at(sx, ny) + 3 * at(nx, sy) + at(sx, sy)) / 16;
        out[to + 3] = 255;
      }
    }
    return out;
  }

  // read gives the text of the code in a picture's points (RGBA), or "". A hard look takes longer.
  function read(points, width, height, hard) {
    const options = { inversionAttempts: "dontInvert" };
    let found = jsQR(points, width, height, options);
    if (!found && hard) found = jsQR(smooth(points, width, height), 2 * width, 2 * height, options);
    return found ? found.data : "";
  }
  return { read };
})();

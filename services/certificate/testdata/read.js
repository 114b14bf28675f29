// Reads QR codes as the page /verify does, by its own script and jsQR as it is published. Standard
// input: a list of pictures, beside each of which "<name>.rgba" has its points as a canvas has
// them, behind a line of width and height; for each one line with the text, or "-".
const fs = require('fs');
const path = require('path');
const vm = require('vm');

const script = fs.readFileSync(path.join(__dirname, '../../../web/static/scan.js'), 'utf8');
const scan = vm.runInNewContext(script + ';scan', { jsQR: require('jsqr') });
for (const name of JSON.parse(fs.readFileSync(0, 'utf8'))) {
  const file = fs.readFileSync(name + '.rgba');
  const line = file.indexOf(10);
  const [width, height] = file.subarray(0, line).toString().split(' ').map(Number);
  console.log(scan.read(new Uint8ClampedArray(file.subarray(line + 1)), width, height, true) || '-');
}

// Counts text as a mobile network does: septets of the GSM 7-bit alphabet
// (3GPP TS 23.038), or UTF-16 code units where a character is outside it.
"use strict";

const gsm = (() => {
  const basic = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
  const septets = new Map([...basic].map((c) => [c, 1]));
  for (const c of "\f^{}\\[~]|€") septets.set(c, 2);

  // parts is how many messages text takes, and in which encoding. A character
  // that counts two is never split between parts.
  function parts(text) {
    const chars = [...text];
    const latin = chars.every((c) => septets.has(c));
    const cost = (c) => (latin ? septets.get(c) : c.length);
    const size = chars.reduce((sum, c) => sum + cost(c), 0);
    const [alone, inPart] = latin ? [160, 153] : [70, 67];
    const encoding = latin ? "GSM-7" : "UCS-2";
    if (size <= alone) return { size, parts: 1, encoding, room: alone };
    let count = 1;
    let used = 0;
    for (const c of chars) {
      if (used + cost(c) > inPart) {
        count++;
        used = 0;
      }
      used += cost(c);
    }
    return { size, parts: count, encoding, room: count * inPart };
  }
  return { parts };
})();

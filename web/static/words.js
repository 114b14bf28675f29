// Writes what a certificate's signed record says as the paper does, in one language.
"use strict";

const words = (() => {
  const pad = (n) => String(n).padStart(2, "0");
  const show = (date) => pad(date.getUTCDate()) + "." + pad(date.getUTCMonth() + 1) + "." + date.getUTCFullYear();

  // day is the day of a moment (seconds since 1970) in Bishkek, which is 6 hours ahead all year.
  const day = (seconds) => show(new Date((seconds + 6 * 3600) * 1000));

  // moment is its day and the minute there.
  function moment(seconds) {
    const there = new Date((seconds + 6 * 3600) * 1000);
    return show(there) + " " + pad(there.getUTCHours()) + ":" + pad(there.getUTCMinutes());
  }

  // born writes a register's YYYY-MM-DD as people do; anything else stays.
  function born(text) {
    const date = new Date(text + "T00:00:00Z");
    const whole = /^\d{4}-\d{2}-\d{2}$/.test(text) && !isNaN(date) && date.toISOString().startsWith(text);
    return whole ? show(date) : text;
  }

  const number = (n) => (n.length === 11 ? [n.slice(0, 4), n.slice(4, 8), n.slice(8)].join("-") : n);

  // russian gives an address with the regions and districts in Russian that its edition of the
  // list knows. A region without its word is one only before a district of its own.
  function russian(address, edition, places) {
    const find = (ky) => places.filter((p) => p[1] === ky && p[3] <= edition).pop();
    const parts = address.split(", ");
    parts.forEach((part, i) => {
      const place = find(part);
      if (!place) return;
      parts[i] = place[2];
      const region = i === 1 && place[1].endsWith(" району") && find(parts[0] + " облусу");
      if (region && region[0] === place[0]) parts[0] = region[2];
    });
    return parts.join(", ");
  }

  // shown is a value in words; "": nothing of it is shown in this language.
  function shown(field, value, language, text) {
    if (field.type === "ky" || field.type === "ru") {
      if (field.type !== language) return "";
      if (!value) return text.untranslated;
    }
    if (field.type === "day") value = born(value);
    if (field.type === "code") value = text["is_" + field.name + "_" + value] || value;
    const around = text["as_" + field.name];
    return value && around ? around.replace("{value}", () => value) : value;
  }

  // list is a numbered list under one label, or the sentence that there is none.
  function list(record, label, none, items, text) {
    if (record.digest) return [[label, text.members_elsewhere.replace("{n}", record.count)]];
    if (items.length === 0) return [[label, none]];
    return items.map((item, i) => [i === 0 ? label : "", `${i + 1}. ${item}`]);
  }

  // said are the lines of what the kind has fields for, and of a family.
  function said(record, kind, language, text) {
    const [facts, rows] = [kind.facts || [], kind.rows || []];
    const lines = facts.map((f, i) => [text["fact_" + f.name], shown(f, record.facts[i] || "", language, text)]);
    const out = lines.filter((line, i) => i < record.facts.length && line[1]);
    if (rows.length > 0) {
      const items = record.rows.map((row) => rows.map((f, i) => (i < row.length ? shown(f, row[i], language, text) : "")).filter(Boolean).join(", "));
      out.push(...list(record, text["rows_" + record.kind], text["none_" + record.kind], items, text));
    }
    if (kind.members) {
      const items = record.members.map((m) => `${m.name}, ${born(m.born)} — ${text["relation_" + m.relation] || m.relation}`);
      out.push(...list(record, text.pdf_members, text.pdf_alone, items, text));
    }
    return out;
  }

  // of gives the title and the lines, each a label ("" for one more line of the same) and what
  // stands under it. known is what the page was given (certificate.OnPage).
  function of(record, language, known) {
    const text = known.words[language];
    const kind = known.kinds[record.kind];
    const address = language === "ru" ? russian(record.address, record.places, known.places) : record.address;
    const lines = [[text.pdf_number, number(record.number)], [text.pdf_issued, day(record.issued)], [text.pdf_name, record.holder.name]];
    if (record.holder.born) lines.push([text.pdf_born, born(record.holder.born)]);
    if (kind.address) lines.push([text.pdf_address, address]);
    lines.push(...said(record, kind, language, text));
    return { title: kind.title[language], lines };
  }
  return { of, moment };
})();

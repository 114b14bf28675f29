// An SMS centre for tests, on the independent SMPP implementation "smpp". It
// takes one command a line on its input, as JSON, and writes one event a line:
//   {"deliver": {…}}      deliver_sm with these fields   -> {"event": "delivered", "status": 0}
//   {"raw": "hex"}        these octets, as they are
//   {"throttle": n}       the next n submit_sm are answered that we are too fast
//   {"pass": n}           the next n submit_sm are taken whatever was asked below
//   {"silent": n}         the next n submit_sm are not answered
//   {"ids": ["A1", …]}    the next submit_sm get these ids instead of a count
//   {"body": "hex"}       the next submit_sm is answered with this body, written by hand
//   {"late": n}           the responses to the next n submit_sm are kept back
//   {"release": true}     … until now; they go over the link that is there
//   {"echo": "text"}      every submit_sm is answered with this text from its phone, as a machine does; "" repeats ours; with "vary" each time a new one
//   {"unbind": true}      asks for the end of the link, and leaves closing it to the other side
//   {"disconnect": true}  closes the connection
//   {"refuse": n}         the next n binds are refused
//   {"deaf": true}        answers no enquire_link from now on
// Buffers are written in hexadecimal, with the prefix "0x".
const smpp = require('smpp');
const lines = require('readline').createInterface({input: process.stdin});

const tell = event => process.stdout.write(JSON.stringify(event, (_, value) =>
  value && value.type === 'Buffer' ? '0x' + Buffer.from(value.data).toString('hex') : value) + '\n');
const octets = value => typeof value === 'string' && value.startsWith('0x') ? Buffer.from(value.slice(2), 'hex') : value;

let session = null, last = 0, pass = 0, throttle = 0, silent = 0, refuse = 0, deaf = false, echo = null, vary = false, answers = 0, body = null, late = 0;
const ids = [], kept = [];

// response is a submit_sm_resp with a body that the library would not write.
const response = (sequence, octets) => {
  const head = Buffer.alloc(16);
  head.writeUInt32BE(16 + octets.length, 0);
  head.writeUInt32BE(0x80000004, 4);
  head.writeUInt32BE(sequence, 12);
  return Buffer.concat([head, octets]);
};

const server = smpp.createServer({}, connected => {
  const bind = pdu => {
    if (refuse-- > 0) {
      connected.send(pdu.response({command_status: smpp.ESME_RBINDFAIL}));
      connected.close();
      return;
    }
    session = connected;
    connected.send(pdu.response({system_id: 'smsc'}));
    tell({event: 'bound', as: pdu.command, system_id: pdu.system_id, version: pdu.interface_version});
  };
  for (const name of ['bind_transceiver', 'bind_transmitter', 'bind_receiver']) connected.on(name, bind);
  connected.on('enquire_link', pdu => { if (!deaf) { connected.send(pdu.response()); tell({event: 'enquired'}); } });
  connected.on('unbind_resp', () => tell({event: 'unbind_resp'}));
  connected.on('unbind', pdu => { connected.send(pdu.response()); connected.close(); tell({event: 'unbound'}); });
  connected.on('generic_nack', pdu => tell({event: 'nack', status: pdu.command_status}));
  connected.on('deliver_sm_resp', pdu => tell({event: 'delivered', status: pdu.command_status, sequence: pdu.sequence_number}));
  connected.on('submit_sm', pdu => {
    const passing = pass-- > 0;
    if (!passing && silent > 0) { silent--; tell({event: 'swallowed'}); return; }
    if (!passing && throttle > 0) {
      throttle--;
      connected.send(pdu.response({command_status: smpp.ESME_RTHROTTLED}));
      tell({event: 'throttled'});
      return;
    }
    const id = ids.length ? ids.shift() : String(++last);
    if (body !== null) {
      connected.socket.write(response(pdu.sequence_number, Buffer.from(body, 'hex')));
      body = null;
    } else if (late > 0) {
      late--;
      kept.push(response(pdu.sequence_number, Buffer.from(id + '\0')));
    } else connected.send(pdu.response({message_id: id}));
    if (echo !== null) connected.deliver_sm({
      source_addr: pdu.destination_addr, source_addr_ton: 1, destination_addr: pdu.source_addr,
      data_coding: 8, short_message: Buffer.from((echo || String(pdu.short_message.message)) + (vary ? ++answers : ''), 'utf16le').swap16(),
    });
    // What the library reads as text, by the coding, header cut off.
    const text = pdu.short_message.message;
    tell({event: 'submit', id, pdu: {...pdu, text: Buffer.isBuffer(text) ? '0x' + text.toString('hex') : text}});
  });
  connected.on('error', () => {});
  connected.on('close', () => { if (session === connected) session = null; tell({event: 'closed'}); });
});

lines.on('line', line => {
  const command = JSON.parse(line);
  if ('throttle' in command) throttle = command.throttle;
  if ('pass' in command) pass = command.pass;
  if ('silent' in command) silent = command.silent;
  if ('refuse' in command) refuse = command.refuse;
  if ('deaf' in command) deaf = command.deaf;
  if ('echo' in command) { echo = command.echo; vary = Boolean(command.vary); }
  if ('body' in command) body = command.body;
  if ('late' in command) late = command.late;
  if ('ids' in command) ids.push(...command.ids);
  if (command.release && session) for (const one of kept.splice(0)) session.socket.write(one);
  if (command.unbind && session) session.send(new smpp.PDU('unbind'));
  if (command.disconnect && session) session.socket.destroy();
  if (command.raw && session) session.socket.write(Buffer.from(command.raw, 'hex'));
  if (command.deliver && session) {
    const fields = {};
    for (const [name, value] of Object.entries(command.deliver)) fields[name] = octets(value);
    session.deliver_sm(fields);
  }
  tell({event: 'done'});
});
lines.on('close', () => process.exit(0));
server.listen(0, '127.0.0.1', () => tell({event: 'listening', port: server.address().port}));

// Alibaba's Node SDK as an application uses it, driven by JSON lines: commands on stdin, what
// happens on stdout. The package itself is as it was published.
'use strict';

const path = require('path');
const readline = require('readline');

const iot = require(path.join(__dirname, '..', 'node', 'node_modules', 'alibabacloud-iot-device-sdk'));

const tell = (what, detail = {}) => process.stdout.write(JSON.stringify({ what, ...detail }) + '\n');

let device;

const commands = {
  connect({ config, services }) {
    device = iot.device(config);
    device.on('connect', () => tell('connect'));
    device.on('close', () => tell('close'));
    device.on('error', (error) => tell('error', { message: String(error) }));
    device.on('message', (topic, payload) => tell('message', { topic, payload: payload.toString() }));
    device.onProps((set) => tell('set', { set }));
    for (const { identifier, type, data } of services) {
      device.onService(identifier, (call, reply) => {
        tell('call', { identifier, call });
        reply({ id: call.id, code: 200, data }, type);
      });
    }
  },
  post({ values }) {
    device.postProps(values, (reply) => tell('postReply', { reply }));
  },
  event({ identifier, outputs }) {
    device.postEvent(identifier, outputs, (reply) => tell('eventReply', { reply }));
  },
  publish({ topic, payload, qos }) {
    device.publish(topic, payload, { qos });
  },
  subscribe({ topic }) {
    device.subscribe(topic, { qos: 1 }, (error, granted) => tell('granted', { granted }));
  },
  end() {
    device.end();
  },
};

readline.createInterface({ input: process.stdin })
  .on('line', (line) => {
    const { command, ...rest } = JSON.parse(line);
    commands[command](rest);
  })
  .on('close', () => process.exit(0));

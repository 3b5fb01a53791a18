import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, Socket } from 'node:net';
import { openPool } from '../../src/store/pool';
import { TcpProxy } from './proxy';

/** A server that answers every piece with `echo:` and the piece, and remembers what it was told. */
let echo: Server;
let proxy: TcpProxy;
const told: string[] = [];
const ended: Socket[] = [];
const accepted = new Set<Socket>();

beforeEach(async () => {
  told.length = 0;
  ended.length = 0;
  echo = createServer({ allowHalfOpen: true }, (socket) => {
    accepted.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (piece) => {
      told.push(piece.toString('latin1'));
      socket.write(`echo:${piece.toString('latin1')}`);
    });
    socket.on('end', () => ended.push(socket));
  });
  echo.listen(0, '127.0.0.1');
  await once(echo, 'listening');
  proxy = await TcpProxy.open((echo.address() as AddressInfo).port);
});
afterEach(async () => {
  await proxy.close();
  for (const socket of accepted) socket.destroy();
  accepted.clear();
  await new Promise((resolve) => echo.close(resolve));
});

function open(): Socket {
  const socket = connect({ host: '127.0.0.1', port: proxy.port, allowHalfOpen: true });
  return socket.on('error', () => undefined);
}

async function client(): Promise<Socket> {
  const socket = open();
  await once(socket, 'connect');
  return socket;
}

async function asked(socket: Socket, question: string): Promise<string> {
  const answer = once(socket, 'data');
  socket.write(question);
  return String((await answer)[0]);
}

/** Not by `once`, which fails when the socket reports its reset first. */
const closed = (socket: Socket) =>
  new Promise<void>((resolve) => {
    if (socket.closed) resolve();
    else socket.once('close', () => resolve());
  });
const COMMIT = 'Q\0\0\0\x0bcommit\0';

test('what is not disturbed passes as it is, both ways', async () => {
  const socket = await client();
  expect(await asked(socket, 'one')).toBe('echo:one');
  expect(await asked(socket, 'two')).toBe('echo:two');
  expect(proxy.connections).toBe(1);
  socket.destroy();
});

test('cut: what was open breaks, what is opened breaks at once, until it is healed', async () => {
  const socket = await client();
  await asked(socket, 'one');
  proxy.cut();
  await closed(socket);
  await closed(open());
  expect(told).toEqual(['one']);
  proxy.heal();
  const fresh = await client();
  expect(await asked(fresh, 'two')).toBe('echo:two');
  fresh.destroy();
});

test('reset: what was open breaks with a reset, the next connection is good', async () => {
  const socket = await client();
  await asked(socket, 'one');
  const failed = new Promise<Error>((resolve) => {
    socket.once('error', resolve);
  });
  expect(proxy.reset()).toBe(1);
  expect(await failed).toMatchObject({ code: 'ECONNRESET' });
  const fresh = await client();
  expect(await asked(fresh, 'two')).toBe('echo:two');
  fresh.destroy();
});

test('half-closed towards the client: it is told the end, and what it says still arrives', async () => {
  const socket = await client();
  await asked(socket, 'one');
  const end = once(socket, 'end');
  proxy.halfClose('client');
  await end;
  socket.write('two');
  while (told.length < 2) await new Promise(setImmediate);
  expect(told).toEqual(['one', 'two']);
  socket.destroy();
});

test('half-closed towards the server: it is told the end, and its answers still arrive', async () => {
  const socket = await client();
  await asked(socket, 'one');
  proxy.halfClose('server');
  while (ended.length === 0) await new Promise(setImmediate);
  const late = once(socket, 'data');
  [...accepted][0]!.write('late');
  expect(String((await late)[0])).toBe('late');
  socket.destroy();
});

test('delayed: the answer comes after the time for both ways', async () => {
  const socket = await client();
  proxy.delay(60);
  const begun = performance.now();
  await asked(socket, 'one');
  expect(performance.now() - begun).toBeGreaterThanOrEqual(115);
  socket.destroy();
});

test('throttled: a large piece takes as long as its bytes', async () => {
  const socket = await client();
  proxy.throttle(20_000);
  const begun = performance.now();
  socket.write('x'.repeat(10_000));
  while (told.join('').length < 10_000) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(performance.now() - begun).toBeGreaterThanOrEqual(400);
  socket.destroy();
});

test('the answer to COMMIT is dropped: the server was told, the client is not, and only once', async () => {
  const socket = await client();
  const dropped = proxy.dropAnswerToCommit();
  expect(await asked(socket, 'insert')).toBe('echo:insert');
  const heard: string[] = [];
  socket.on('data', (piece) => heard.push(String(piece)));
  socket.write(COMMIT);
  await dropped;
  await closed(socket);
  expect(told.at(-1)).toBe(COMMIT);
  expect(heard).toEqual([]);
  const fresh = await client();
  expect(await asked(fresh, COMMIT)).toBe(`echo:${COMMIT}`);
  fresh.destroy();
});

test('a server that is not there is a connection that breaks', async () => {
  const alone = await TcpProxy.open(1);
  const socket = connect({ host: '127.0.0.1', port: alone.port });
  socket.on('error', () => undefined);
  await closed(socket);
  await alone.close();
});

test('a pool asks after a network that swallows everything within seconds, not after hours', async () => {
  const asked = jest.spyOn(Socket.prototype, 'setKeepAlive');
  const url = `postgresql://nobody@127.0.0.1:${proxy.port}/nothing`;
  const pool = openPool({ url, role: null, applicationName: 'test', onIdleError: () => undefined });
  const connecting = pool.connect().then(
    () => 'connected',
    () => 'broken',
  );
  while (asked.mock.calls.length === 0) await new Promise(setImmediate);
  expect(asked).toHaveBeenCalledWith(true, 10_000);
  proxy.reset();
  expect(await connecting).toBe('broken');
  await pool.end();
  asked.mockRestore();
});

import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface TcpProxy {
  readonly port: number;
  /** `open` passes on, `frozen` keeps connections and passes nothing on, `closed` refuses and drops. */
  state: 'open' | 'frozen' | 'closed';
  /** Drops what is connected. */
  drop(): void;
  close(): Promise<void>;
}

/** Stands between a client and a server, to be cut or to hang. */
export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  const proxy = { state: 'open' as TcpProxy['state'] };
  const pass = (from: Socket, to: Socket) => {
    sockets.add(from);
    from.on('data', (chunk) => {
      if (proxy.state === 'open') to.write(chunk);
    });
    from.on('error', () => to.destroy());
    from.on('close', () => {
      sockets.delete(from);
      to.destroy();
    });
  };
  const server = createServer((client) => {
    if (proxy.state === 'closed') return void client.destroy();
    const upstream = connect(targetPort, '127.0.0.1');
    pass(client, upstream);
    pass(upstream, client);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const drop = () => {
    for (const socket of sockets) socket.destroy();
  };
  return Object.assign(proxy, {
    port: (server.address() as AddressInfo).port,
    drop,
    close: () => {
      drop();
      return new Promise<void>((resolve) => void server.close(() => resolve()));
    },
  });
}

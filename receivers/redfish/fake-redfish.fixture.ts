import type { RequestListener, ServerResponse } from 'node:http';

/** Resources by their paths. */
export type Resources = Readonly<Record<string, unknown>>;

/** A BMC with these resources, its sessions, and configurable failures. */
export class FakeRedfish {
  resources: Resources;
  /** The password of the user `root`, required unless a session is used; empty: no authentication. */
  password = '';
  hasSessions = true;
  /** The answer to requests for paths with these prefixes: a status, or text; `hang`: no answer. */
  failures: Readonly<Record<string, number | string>> = {};
  readonly tokens = new Set<string>();
  readonly requests: string[] = [];
  logins = 0;

  constructor(resources: Resources) {
    this.resources = resources;
  }

  count(request: string): number {
    return this.requests.filter((one) => one === request).length;
  }

  answer: RequestListener = (request, response) => {
    const { method = '', url = '', headers } = request;
    this.requests.push(`${method} ${url}`);
    const failing = Object.keys(this.failures).find((path) => url.startsWith(path));
    if (failing !== undefined) return this.#fail(response, this.failures[failing]);
    if (method === 'POST') {
      let body = '';
      request.setEncoding('utf8').on('data', (text: string) => (body += text));
      request.on('end', () => this.#login(body, response));
      return;
    }
    const token = String(headers['x-auth-token']);
    if (method === 'DELETE') this.tokens.delete(url.split('/').at(-1) ?? '');
    else if (url !== '/redfish/v1/' && !this.#isKnown(token, headers.authorization)) response.writeHead(401);
    else return this.#read(url, response);
    response.end('{}');
  };

  #isKnown(token: string, authorization = ''): boolean {
    const basic = `Basic ${Buffer.from(`root:${this.password}`).toString('base64')}`;
    return this.password === '' || this.tokens.has(token) || authorization === basic;
  }

  #login(body: string, response: ServerResponse): void {
    this.logins += 1;
    const { UserName: user, Password: password } = JSON.parse(body) as Record<string, unknown>;
    if (!this.hasSessions) return void response.writeHead(404).end('{}');
    if (user !== 'root' || password !== this.password) return void response.writeHead(401).end('{}');
    const token = `token-${this.logins}`;
    this.tokens.add(token);
    const headers = { 'X-Auth-Token': token, Location: `/redfish/v1/SessionService/Sessions/${token}` };
    response.writeHead(201, headers).end('{}');
  }

  #read(url: string, response: ServerResponse): void {
    const resource = this.resources[url] ?? this.resources[url.replace(/\/$/u, '')];
    if (resource === undefined) response.writeHead(404);
    response.end(JSON.stringify(resource ?? { error: {} }));
  }

  #fail(response: ServerResponse, failure: number | string | undefined): void {
    if (failure === 'hang') return;
    if (typeof failure === 'number') response.writeHead(failure).end('{"error":{}}');
    else response.end(failure);
  }
}

/** `@odata.id` */
export function link(path: string): Resources {
  return { '@odata.id': path };
}

const base = '/redfish/v1';

function collect(path: string, ids: readonly string[]): Resources {
  return { [path]: { Members: ids.map((id) => link(`${path}/${id}`)), 'Members@odata.count': ids.length } };
}

/** A service root with these chassis and their links. */
export function createTree(chassis: Readonly<Record<string, unknown>>, features: unknown = {}): Resources {
  const path = `${base}/Chassis`;
  const sessions = { Sessions: link(`${base}/SessionService/Sessions`) };
  return {
    [base]: { Chassis: link(path), Links: sessions, ProtocolFeaturesSupported: features },
    ...collect(path, Object.keys(chassis)),
    ...Object.fromEntries(
      Object.entries(chassis).map(([id, resource]) => [
        `${path}/${id}`,
        { Id: id, Name: `Chassis ${id}`, ...(resource as Resources) },
      ]),
    ),
  };
}

/** The newer resources, as in OpenBMC and the DMTF's mockups: two power supplies, and sensors. */
export function createModern(): Resources {
  const path = `${base}/Chassis/1`;
  const chassis = {
    EnvironmentMetrics: link(`${path}/EnvironmentMetrics`),
    PowerSubsystem: link(`${path}/PowerSubsystem`),
    Sensors: link(`${path}/Sensors`),
  };
  const supplies = `${path}/PowerSubsystem/PowerSupplies`;
  const supply = (id: string, status: unknown) => ({
    [`${supplies}/${id}`]: {
      Id: id,
      Name: `Power Supply ${id}`,
      Status: status,
      Metrics: link(`${supplies}/${id}/Metrics`),
    },
  });
  return {
    ...createTree({ 1: chassis }, { ExpandQuery: { NoLinks: true } }),
    [`${path}/EnvironmentMetrics`]: {
      PowerWatts: { DataSourceUri: `${path}/Sensors/TotalPower`, Reading: 374 },
      EnergykWh: { Reading: 325_675.25 },
      TemperatureCelsius: { Reading: 25.5 },
    },
    [`${path}/PowerSubsystem`]: { PowerSupplies: link(supplies) },
    ...collect(supplies, ['Bay1', 'Bay2', 'Bay3']),
    ...supply('Bay1', { State: 'Enabled', Health: 'OK' }),
    ...supply('Bay2', { State: 'Enabled', Health: 'Warning' }),
    ...supply('Bay3', { State: 'Absent', Health: null }),
    [`${supplies}/Bay1/Metrics`]: {
      InputPowerWatts: { Reading: 200 },
      OutputPowerWatts: { Reading: 180 },
      InputVoltage: { Reading: 230.5 },
      InputCurrentAmps: { Reading: 0.9 },
    },
    [`${supplies}/Bay2/Metrics`]: { InputPowerWatts: { Reading: 174 }, OutputPowerWatts: null },
    [`${path}/Sensors?$expand=.`]: {
      Members: [
        { ...link(`${path}/Sensors/TotalPower`), Id: 'TotalPower', ReadingType: 'Power', Reading: 374 },
        {
          ...link(`${path}/Sensors/Fan1`),
          Id: 'Fan1',
          Name: 'Fan 1',
          ReadingType: 'Rotational',
          Reading: 4200,
        },
        {
          ...link(`${path}/Sensors/CPU1`),
          Id: 'CPU1',
          Name: 'CPU 1',
          ReadingType: 'Temperature',
          Reading: 51,
        },
        { ...link(`${path}/Sensors/VBAT`), Id: 'VBAT', Name: 'VBAT', ReadingType: 'Voltage', Reading: null },
        { ...link(`${path}/Sensors/Load`), Id: 'Load', Name: 'Load', ReadingType: 'Percent', Reading: 12 },
      ],
    },
  };
}

/** The older resources Power and Thermal of one chassis. */
export function createOld(power: unknown, thermal?: unknown, id = '1'): Resources {
  const path = `${base}/Chassis/${id}`;
  const links = { Power: link(`${path}/Power`), Thermal: link(`${path}/Thermal`) };
  return {
    ...createTree({ [id]: links }),
    [`${path}/Power`]: power,
    ...(thermal !== undefined && { [`${path}/Thermal`]: thermal }),
  };
}

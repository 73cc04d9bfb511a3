import { once } from 'node:events';
import { createPowerAnswer, FakeBmc } from './fake-bmc.fixture.js';
import { serveBmc } from './vm-bmc.fixture.js';

// A test program: a BMC with DCMI for a virtual machine, until SIGTERM. It prints its port, and QEMU connects to
// it: -chardev socket,id=bmc,host=127.0.0.1,port=PORT,reconnect=1 -device ipmi-bmc-extern,id=bmc0,chardev=bmc
// -device isa-ipmi-kcs,bmc=bmc0.

/** What both programs in the machine should read. */
export const dcmiWatts = [332, 68, 504, 348] as const;

export function createDcmiBmc(): FakeBmc {
  const bmc = new FakeBmc();
  bmc.power.set(1, createPowerAnswer(dcmiWatts, 60_000));
  return bmc;
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const { port, close } = await serveBmc(createDcmiBmc());
  process.stdout.write(`${port}\n`);
  await once(process, 'SIGTERM');
  close();
}

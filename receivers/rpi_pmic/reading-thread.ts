import { serveReadings } from '../../src/scraping/serve-readings.js';
import { Mailbox } from './mailbox.js';

// The thread that queries the firmware, which takes milliseconds. The receiver passes the path of the device.

const command = 'pmic_read_adc';

serveReadings<string>((options) => {
  const mailbox = new Mailbox(String(options));
  return {
    open: () => mailbox.run(command),
    read: () => mailbox.run(command),
    close: () => mailbox.close(),
  };
});

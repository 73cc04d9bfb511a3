import { serveSender } from '../../src/export/sending-thread.js';
import { openMongodbSender } from './mongodb-sender.js';

serveSender(openMongodbSender);

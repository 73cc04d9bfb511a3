import { serveSender } from '../../src/export/sending-thread.js';
import { openKafkaSender } from './kafka-sender.js';

serveSender(openKafkaSender);

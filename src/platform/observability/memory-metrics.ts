import { totalmem } from 'node:os';
import { Gauge } from 'prom-client';

new Gauge({
  name: 'process_memory_limit_bytes',
  help: 'What this process and those beside it may use: the limit of the container, else the memory of the machine',
  aggregator: 'max', // workers share it
  collect() {
    // 0 or absurdly much where nothing limits it.
    this.set(Math.min(process.constrainedMemory() || Infinity, totalmem()));
  },
});

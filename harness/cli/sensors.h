/* sensors: what the system says of the machine's health, read and never changed: clocks,
 * temperatures, ECC counters (EDAC), throttling, machine checks. */
#ifndef CF_SENSORS_H
#define CF_SENSORS_H

/* Emits "<group>.<name>" with the value as the system writes it, in a fixed order. For each group
 * that the system does not offer here: "<group>" with "not offered". Groups: clock (kHz, per CPU),
 * temperature (thousandths of a degree), ecc (corrected and uncorrected errors a memory
 * controller), throttle (events a CPU), machine-check (events of all CPUs). */
void cf_sensors_read(void (*emit)(void *context, const char *key, const char *value),
                     void *context);

/* What the system says of one CPU now: its frequency (NaN: nothing), and its processor's serial
 * number (PPIN, which the kernel shows to root; "" otherwise). The caller frees. */
double cf_sensors_mhz(int cpu);
char *cf_sensors_ppin(int cpu);

#endif

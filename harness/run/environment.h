/* environment: what is known of this machine, user's directory and build, as keys and values. */
#ifndef CF_ENVIRONMENT_H
#define CF_ENVIRONMENT_H

/* Emits, in this order, keys of the groups below; what cannot be found out is left out. 0.
 *   tool.*      version, compiler, flags, sha256 of the running program
 *   machine.*   arch, vendor, product
 *   os.*        pretty, kernel, libc, proc and sys (mounted: yes or no), thp, container, vm
 *   cpu.*       vendor, family, model, name, stepping, microcode, flags_sha256, isa, hypervisor,
 *               governor, boost, packages, cores, threads, numa, allowed (CPUs of this process)
 *   memory.*    bytes, limit
 *   cgroup.*    cpu_max, cpuset
 *   git.*       commit, dirty (yes or no), diff_sha256: of the working directory, by the git
 * command variable.*  environment variables of the libraries that are known here, with their values
 *   variables   the names of all others: their values may be secrets
 * Host name, serial numbers and UUIDs are never read. */
int cf_environment_collect(void (*emit)(void *context, const char *key, const char *value),
                           void *context);

/* CPUs that this process may fill: its affinity, less what a cgroup's quota takes away; >= 1. */
int cf_environment_cpus(void);

#endif

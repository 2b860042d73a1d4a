/* cgroup: what the control group of this process allows, by the names of cgroup v2. */
#ifndef CF_CGROUP_H
#define CF_CGROUP_H

/* The first line of a file of the process's own group ("cpu.max"), or of the nearest group above it
 * that has one. 0, or -1 when there is none. */
int cf_cgroup_read(const char *name, char *text, int n);

/* How often the kernel has killed a process of the group for lack of memory; 0 when not known. */
long cf_cgroup_oom_kills(void);

#endif

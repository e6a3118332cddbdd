/*
 * A disk that misbehaves, for one process: loaded before libc, it stands between a program and the files under one folder.
 *
 *   FAULTY_DISK_UNDER    folder; files elsewhere are left alone
 *   FAULTY_DISK_FAIL     rules "call:name:from:count:errno" with commas between: the from-th call (from 1) and count-1 more fail on files whose name ends so;
 *                        call is write or sync, name may be empty for all, count 0 is for ever
 *   FAULTY_DISK_RECORD   file: every write, truncation, flush, renaming and removal that succeeded, in its order
 *   FAULTY_DISK_FLUSH_MS "median:worst:every": a flush takes the median, and every so many-th one the worst
 *
 * A record:  call (1 byte) · length of the name (2) · offset (8) · length of the data (4) · name · data; numbers little-endian.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { WRITE = 'w', TRUNCATE = 't', SYNC = 's', RENAME = 'r', REMOVE = 'x' };
struct rule { char call; char name[64]; long from, count; int error; long seen; };

static char under[1024];
static struct rule rules[8];
static int ruleCount, recordFile = -1;
static long medianMs, worstMs, worstEvery, flushes;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

__attribute__((constructor)) static void begin(void) {
  const char *value = getenv("FAULTY_DISK_UNDER");
  if (value != NULL) strncpy(under, value, sizeof under - 1);
  if ((value = getenv("FAULTY_DISK_RECORD")) != NULL && under[0] != 0) recordFile = open(value, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
  if ((value = getenv("FAULTY_DISK_FLUSH_MS")) != NULL) sscanf(value, "%ld:%ld:%ld", &medianMs, &worstMs, &worstEvery);
  if ((value = getenv("FAULTY_DISK_FAIL")) == NULL) return;
  char copy[1024];
  strncpy(copy, value, sizeof copy - 1);
  copy[sizeof copy - 1] = 0;
  char *rest = copy, *each;
  while ((each = strsep(&rest, ",")) != NULL && ruleCount < 8) {
    struct rule *rule = &rules[ruleCount++];
    char *call = strsep(&each, ":"), *name = strsep(&each, ":");
    rule->call = call != NULL && strcmp(call, "sync") == 0 ? SYNC : WRITE;
    if (name != NULL) strncpy(rule->name, name, sizeof rule->name - 1);
    if (each != NULL) sscanf(each, "%ld:%ld:%d", &rule->from, &rule->count, &rule->error);
  }
}

static int isUnder(const char *path) { return under[0] != 0 && strncmp(path, under, strlen(under)) == 0; }

/* The path of an open file below the folder, or 0. */
static int named(int file, char *path, size_t size) {
  if (under[0] == 0 || file == recordFile) return 0;
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, path, size - 1);
  if (length <= 0) return 0;
  path[length] = 0;
  return isUnder(path);
}

/* The errno that this call must fail with, or 0. Called with the lock held. */
static int refused(char call, const char *path) {
  for (int at = 0; at < ruleCount; at++) {
    struct rule *rule = &rules[at];
    size_t wanted = strlen(rule->name), length = strlen(path);
    if (rule->call != call || wanted > length || strcmp(path + length - wanted, rule->name) != 0) continue;
    rule->seen++;
    if (rule->seen >= rule->from && (rule->count == 0 || rule->seen < rule->from + rule->count)) return rule->error;
  }
  return 0;
}

/* Called with the lock held. */
static void note(char call, const char *path, uint64_t offset, const void *data, uint32_t bytes) {
  if (recordFile < 0) return;
  const char *name = path + strlen(under);
  while (*name == '/') name++;
  uint16_t nameBytes = (uint16_t)strlen(name);
  unsigned char head[15];
  head[0] = (unsigned char)call;
  memcpy(head + 1, &nameBytes, 2);
  memcpy(head + 3, &offset, 8);
  memcpy(head + 11, &bytes, 4);
  struct iovec parts[3] = {{head, sizeof head}, {(void *)name, nameBytes}, {(void *)data, bytes}};
  if (syscall(SYS_writev, recordFile, parts, 3) < 0) abort();
}

static ssize_t writeAt(int file, const void *data, size_t bytes, off_t offset, int isAppend) {
  char path[1024];
  if (!named(file, path, sizeof path)) return isAppend ? syscall(SYS_write, file, data, bytes) : syscall(SYS_pwrite64, file, data, bytes, offset);
  pthread_mutex_lock(&lock);
  int error = refused(WRITE, path);
  ssize_t written = -1;
  if (error == 0) {
    off_t at = isAppend ? lseek(file, 0, (fcntl(file, F_GETFL) & O_APPEND) ? SEEK_END : SEEK_CUR) : offset;
    written = isAppend ? syscall(SYS_write, file, data, bytes) : syscall(SYS_pwrite64, file, data, bytes, offset);
    error = errno;
    if (written > 0) note(WRITE, path, (uint64_t)at, data, (uint32_t)written);
  }
  pthread_mutex_unlock(&lock);
  errno = error;
  return written;
}

ssize_t write(int file, const void *data, size_t bytes) { return writeAt(file, data, bytes, 0, 1); }
ssize_t pwrite(int file, const void *data, size_t bytes, off_t offset) { return writeAt(file, data, bytes, offset, 0); }
ssize_t pwrite64(int file, const void *data, size_t bytes, off64_t offset) { return writeAt(file, data, bytes, offset, 0); }

static int flush(int file, long call) {
  char path[1024];
  if (!named(file, path, sizeof path)) return (int)syscall(call, file);
  if (medianMs > 0) {
    pthread_mutex_lock(&lock);
    long ms = worstEvery > 0 && ++flushes % worstEvery == 0 ? worstMs : medianMs;
    pthread_mutex_unlock(&lock);
    struct timespec pause = {ms / 1000, (ms % 1000) * 1000000};
    nanosleep(&pause, NULL);
  }
  pthread_mutex_lock(&lock);
  int error = refused(SYNC, path), result = -1;
  if (error == 0) {
    result = (int)syscall(call, file);
    error = errno;
    if (result == 0) note(SYNC, path, 0, NULL, 0);
  }
  pthread_mutex_unlock(&lock);
  errno = error;
  return result;
}

int fsync(int file) { return flush(file, SYS_fsync); }
int fdatasync(int file) { return flush(file, SYS_fdatasync); }

static int cut(int file, off_t length) {
  char path[1024];
  pthread_mutex_lock(&lock);
  int result = (int)syscall(SYS_ftruncate, file, length), error = errno;
  if (result == 0 && named(file, path, sizeof path)) note(TRUNCATE, path, (uint64_t)length, NULL, 0);
  pthread_mutex_unlock(&lock);
  errno = error;
  return result;
}

int ftruncate(int file, off_t length) { return cut(file, length); }
int ftruncate64(int file, off64_t length) { return cut(file, length); }

int unlink(const char *path) {
  pthread_mutex_lock(&lock);
  int result = (int)syscall(SYS_unlink, path), error = errno;
  if (result == 0 && isUnder(path)) note(REMOVE, path, 0, NULL, 0);
  pthread_mutex_unlock(&lock);
  errno = error;
  return result;
}

int rename(const char *from, const char *to) {
  pthread_mutex_lock(&lock);
  int result = (int)syscall(SYS_rename, from, to), error = errno;
  if (result == 0 && isUnder(from)) note(RENAME, from, 0, to + strlen(under) + 1, (uint32_t)strlen(to + strlen(under) + 1));
  pthread_mutex_unlock(&lock);
  errno = error;
  return result;
}

/* Fails, or kills, at the k-th call that changes a file under a folder; loaded by LD_PRELOAD.

   Calls are counted in the order in which they come, those of native libraries included. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { KILL, KILL_HALFWAY, FULL };

static char root[PATH_MAX];
static long place, count;
static int mode;

/* Watches a folder from now on; `at` counts from 1, 0 only counts. */
void faults_begin(const char *folder, long at, int how) {
  snprintf(root, sizeof root, "%s", folder);
  place = at;
  mode = how;
  count = 0;
}

long faults_count(void) { return count; }

static int is_within(const char *path) {
  size_t n = strlen(root);
  return n && !strncmp(path, root, n) && (path[n] == '/' || !path[n]);
}

static int is_path_within(int folder, const char *path) {
  char base[PATH_MAX] = "", link[64], whole[2 * PATH_MAX];
  if (!root[0] || !path) return 0;
  if (path[0] == '/') return is_within(path);
  snprintf(link, sizeof link, folder == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/%d", folder);
  if (readlink(link, base, sizeof base - 1) < 0) return 0;
  snprintf(whole, sizeof whole, "%s/%s", base, path);
  return is_within(whole);
}

static int is_file_within(int file) {
  char link[64], path[PATH_MAX] = "";
  if (!root[0]) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  return readlink(link, path, sizeof path - 1) > 0 && is_within(path);
}

/* Counts a call; whether it finds no room. A call that frees room is never refused. */
static int is_refused(int takes_room) {
  long now = __atomic_add_fetch(&count, 1, __ATOMIC_SEQ_CST);
  if (!place || now < place) return 0;
  if (mode == FULL) {
    errno = ENOSPC;
    return takes_room;
  }
  kill(getpid(), SIGKILL);
  pause();
  return 1;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static ssize_t write_some(int file, const void *data, size_t n, off_t at) {
  ssize_t (*all)(int, const void *, size_t) = REAL(write);
  ssize_t (*there)(int, const void *, size_t, off_t) = REAL(pwrite);
  if (is_file_within(file)) {
    if (mode == KILL_HALFWAY && place && count + 1 == place && n > 1) {
      (void)!(at < 0 ? all(file, data, n / 2) : there(file, data, n / 2, at));
    }
    if (is_refused(1)) return -1;
  }
  return at < 0 ? all(file, data, n) : there(file, data, n, at);
}

ssize_t write(int file, const void *data, size_t n) { return write_some(file, data, n, -1); }
ssize_t pwrite(int file, const void *data, size_t n, off_t at) {
  return write_some(file, data, n, at);
}
ssize_t pwrite64(int file, const void *data, size_t n, off64_t at) {
  return write_some(file, data, n, at);
}

ssize_t writev(int file, const struct iovec *parts, int n) {
  if (is_file_within(file) && is_refused(1)) return -1;
  return REAL(writev)(file, parts, n);
}

static int open_at(int folder, const char *path, int flags, mode_t rights) {
  if (flags & (O_WRONLY | O_RDWR | O_CREAT) && is_path_within(folder, path)) {
    if (is_refused(flags & O_CREAT)) return -1;
  }
  return REAL(openat)(folder, path, flags, rights);
}

#define OPEN(name, ...)                                                       \
  int name(__VA_ARGS__, int flags, ...) {                                     \
    va_list more;                                                             \
    va_start(more, flags);                                                    \
    mode_t rights = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0; \
    va_end(more);                                                             \
    return open_at(FOLDER, path, flags, rights);                              \
  }
#define FOLDER AT_FDCWD
OPEN(open, const char *path)
OPEN(open64, const char *path)
#undef FOLDER
#define FOLDER folder
OPEN(openat, int folder, const char *path)
OPEN(openat64, int folder, const char *path)

#define ON_PATH(name, takes_room, given, passed)                                   \
  int name given {                                                                 \
    if (is_path_within(AT_FDCWD, path) && is_refused(takes_room)) return -1;       \
    return REAL(name) passed;                                                      \
  }
ON_PATH(mkdir, 1, (const char *path, mode_t rights), (path, rights))
ON_PATH(rmdir, 0, (const char *path), (path))
ON_PATH(unlink, 0, (const char *path), (path))
ON_PATH(rename, 1, (const char *path, const char *to), (path, to))
ON_PATH(truncate, 0, (const char *path, off_t n), (path, n))

int unlinkat(int folder, const char *path, int flags) {
  if (is_path_within(folder, path) && is_refused(0)) return -1;
  return REAL(unlinkat)(folder, path, flags);
}

int renameat(int from, const char *path, int folder, const char *to) {
  if (is_path_within(from, path) && is_refused(1)) return -1;
  return REAL(renameat)(from, path, folder, to);
}

#define ON_FILE(name, takes_room, given, passed)                    \
  int name given {                                                  \
    if (is_file_within(file) && is_refused(takes_room)) return -1;  \
    return REAL(name) passed;                                       \
  }
ON_FILE(fsync, 1, (int file), (file))
ON_FILE(fdatasync, 1, (int file), (file))
ON_FILE(ftruncate, 0, (int file, off_t n), (file, n))
ON_FILE(ftruncate64, 0, (int file, off64_t n), (file, n))

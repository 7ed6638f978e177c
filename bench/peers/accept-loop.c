// Listens on argv[1] with backlog argv[2]; after a line on stdin accepts and closes argv[3] connections; prints the
// milliseconds.
#define _GNU_SOURCE
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};
  if (bind(fd, (struct sockaddr*)&place, sizeof place) < 0 || listen(fd, atoi(argv[2])) < 0) return 1;
  puts("listening");
  fflush(stdout);
  char line[64];
  if (!fgets(line, sizeof line, stdin)) return 1;
  struct timespec start, end;
  long left = atol(argv[3]);
  clock_gettime(CLOCK_MONOTONIC, &start);
  while (left-- > 0) {
    int connection = accept4(fd, 0, 0, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (connection < 0) return 1;
    close(connection);
  }
  clock_gettime(CLOCK_MONOTONIC, &end);
  printf("%.3f\n", (end.tv_sec - start.tv_sec) * 1e3 + (end.tv_nsec - start.tv_nsec) / 1e6);
  return 0;
}

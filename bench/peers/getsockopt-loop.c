// Listens, then reads the accept queue N times with TCP_INFO; prints nanoseconds for one reading.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

int main(int argc, char** argv) {
  long rounds = argc > 1 ? atol(argv[1]) : 100000;
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in place = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (bind(fd, (struct sockaddr*)&place, sizeof place) < 0 || listen(fd, 128) < 0) return 1;
  struct timespec start, end;
  unsigned long sum = 0;
  clock_gettime(CLOCK_MONOTONIC, &start);
  for (long i = 0; i < rounds; i++) {
    struct tcp_info info;
    socklen_t size = sizeof info;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0) return 1;
    sum += info.tcpi_unacked;
  }
  clock_gettime(CLOCK_MONOTONIC, &end);
  printf("%.3f %lu\n", ((end.tv_sec - start.tv_sec) * 1e9 + (end.tv_nsec - start.tv_nsec)) / rounds, sum);
  return 0;
}

// Completes handshakes through the packet socket that it inherits as descriptor 3: SYN, and ACK for each SYN-ACK. One
// thread, plain sendmmsg and recvmmsg. Prints seconds. handshakes <count> <from hardware> <to hardware> <target> <port>
#define _GNU_SOURCE  // sendmmsg, recvmmsg
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

enum {
  kSocket = 3,
  kBatch = 64,
  kSyn = 14 + 20 + 24,
  kAck = 14 + 20 + 20,
  kFrame = 128,
  kInFlight = 2048,
  kPatience = 2000
};

static uint8_t packet[kAck];
static uint32_t target;
static uint16_t port;

static uint32_t add(const uint8_t* bytes, int size, uint32_t sum) {
  for (int at = 0; at < size; at += 2) sum += bytes[at] << 8 | bytes[at + 1];
  return sum;
}

static uint16_t fold(uint32_t sum) {
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return htons((uint16_t)~sum);
}

static void prepare(char** args) {
  unsigned mac[12];
  sscanf(args[0], "%x:%x:%x:%x:%x:%x", mac + 6, mac + 7, mac + 8, mac + 9, mac + 10, mac + 11);
  sscanf(args[1], "%x:%x:%x:%x:%x:%x", mac, mac + 1, mac + 2, mac + 3, mac + 4, mac + 5);
  for (int at = 0; at < 12; at++) packet[at] = (uint8_t)mac[at];
  packet[12] = 8;
  packet[14] = 0x45;
  packet[20] = 0x40;
  packet[22] = 64;
  packet[23] = 6;
  inet_pton(AF_INET, args[2], &target);
  port = htons((uint16_t)atoi(args[3]));
}

static int finish(uint8_t* frame, int size) {
  uint16_t length = htons((uint16_t)(size - 14));
  memcpy(frame + 16, &length, 2);
  memcpy(frame + 30, &target, 4);
  memcpy(frame + 36, &port, 2);
  frame[48] = frame[49] = 255;
  uint16_t sum = fold(add(frame + 14, 20, 0));
  memcpy(frame + 24, &sum, 2);
  sum = fold(add(frame + 34, size - 34, add(frame + 26, 8, 6 + (uint32_t)(size - 34))));
  memcpy(frame + 50, &sum, 2);
  return size;
}

static int syn(uint8_t* frame, uint32_t number) {
  memset(frame, 0, kSyn);
  memcpy(frame, packet, kAck);
  uint32_t address = htonl(0x0a800000u + (number & 0x7fffff)), sequence = htonl(number * 2654435761u);
  uint16_t from = htons((uint16_t)(1024 + number / 0x800000));
  memcpy(frame + 26, &address, 4);
  memcpy(frame + 34, &from, 2);
  memcpy(frame + 38, &sequence, 4);
  frame[46] = 0x60;
  frame[47] = 2;
  uint8_t mss[] = {2, 4, 5, 180};
  memcpy(frame + 54, mss, 4);
  return finish(frame, kSyn);
}

// The answer to a SYN-ACK: addresses and ports swapped, its acknowledgment as our sequence, its sequence plus one.
static int ack(uint8_t* frame, const uint8_t* came) {
  memcpy(frame, packet, kAck);
  memcpy(frame + 26, came + 30, 4);
  memcpy(frame + 34, came + 36, 2);
  memcpy(frame + 38, came + 42, 4);
  uint32_t sequence;
  memcpy(&sequence, came + 38, 4);
  sequence = htonl(ntohl(sequence) + 1);
  memcpy(frame + 42, &sequence, 4);
  frame[46] = 0x50;
  frame[47] = 16;
  return finish(frame, kAck);
}

static uint8_t out[kBatch][kFrame], in[kBatch][2048];
static struct iovec outParts[kBatch], inParts[kBatch];
static struct mmsghdr outMessages[kBatch], inMessages[kBatch];

static int sendAll(int count) {
  for (int at = 0; at < count;) {
    int done = sendmmsg(kSocket, outMessages + at, (unsigned)(count - at), 0);
    if (done > 0) at += done;
    else if (errno != ENOBUFS && errno != EAGAIN && errno != EINTR) return -1;
  }
  return 0;
}

int main(int argc, char** argv) {
  if (argc < 6) return 2;
  long count = atol(argv[1]), sent = 0, answered = 0;
  prepare(argv + 2);
  int one = 1, room = 16 << 20;
  setsockopt(kSocket, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one);
  setsockopt(kSocket, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof one);
  setsockopt(kSocket, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
  for (int at = 0; at < kBatch; at++) {
    outParts[at].iov_base = out[at];
    outMessages[at].msg_hdr.msg_iov = &outParts[at];
    inParts[at] = (struct iovec){in[at], sizeof in[at]};
    inMessages[at].msg_hdr.msg_iov = &inParts[at];
    outMessages[at].msg_hdr.msg_iovlen = inMessages[at].msg_hdr.msg_iovlen = 1;
  }
  struct timespec start, end;
  clock_gettime(CLOCK_MONOTONIC, &start);
  while (answered < count) {
    int batch = 0;
    for (; batch < kBatch && sent < count && sent - answered < kInFlight; batch++, sent++)
      outParts[batch].iov_len = (size_t)syn(out[batch], (uint32_t)sent);
    if (batch > 0 && sendAll(batch) < 0) break;
    int came = recvmmsg(kSocket, inMessages, kBatch, MSG_DONTWAIT, NULL);
    if (came < 0 && errno != EAGAIN && errno != EINTR) break;
    if (came <= 0 && batch == 0) {
      struct pollfd waiting = {kSocket, POLLIN, 0};
      if (poll(&waiting, 1, kPatience) == 0) break;  // some were lost, and this program retransmits nothing
      continue;
    }
    int acks = 0;
    for (int at = 0; at < came; at++) {
      const uint8_t* frame = in[at];
      if (inMessages[at].msg_len < kAck || frame[23] != 6 || frame[47] != 0x12) continue;
      outParts[acks].iov_len = (size_t)ack(out[acks], frame);
      acks++;
    }
    if (acks > 0 && sendAll(acks) < 0) break;
    answered += acks;
  }
  clock_gettime(CLOCK_MONOTONIC, &end);
  if (answered == 0) {
    perror("handshakes");
    return 1;
  }
  printf("%.6f %ld\n", (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9, answered);
  return 0;
}

// Sends SYNs through the packet socket that it inherits as descriptor 3, as fast as one thread can; prints seconds.
// syn-sender <mmsg|ring> <count> <ifindex> <from hardware> <to hardware> <target> <port>
#define _GNU_SOURCE  // sendmmsg
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

enum { kSocket = 3, kBatch = 64, kSize = 14 + 20 + 24, kFrame = 256, kFrames = 4096 };

static uint16_t fold(uint32_t sum) {
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return htons((uint16_t)~sum);
}

static uint32_t add(const uint8_t* bytes, int size, uint32_t sum) {
  for (int at = 0; at < size; at += 2) sum += bytes[at] << 8 | bytes[at + 1];
  return sum;
}

static uint8_t packet[kSize];
static uint32_t ipSum, tcpSum;

static void template(char** args) {
  unsigned mac[12];
  sscanf(args[0], "%x:%x:%x:%x:%x:%x", mac + 6, mac + 7, mac + 8, mac + 9, mac + 10, mac + 11);
  sscanf(args[1], "%x:%x:%x:%x:%x:%x", mac, mac + 1, mac + 2, mac + 3, mac + 4, mac + 5);
  for (int at = 0; at < 12; at++) packet[at] = (uint8_t)mac[at];
  uint8_t rest[] = {8, 0, 0x45, 0, 0, 44, 0, 0, 0x40, 0, 64, 6};
  memcpy(packet + 12, rest, sizeof rest);
  inet_pton(AF_INET, args[2], packet + 30);
  uint16_t port = htons((uint16_t)atoi(args[3]));
  memcpy(packet + 36, &port, 2);
  packet[46] = 0x60;
  packet[47] = 2;
  packet[48] = packet[49] = 255;
  uint8_t mss[] = {2, 4, 5, 180};
  memcpy(packet + 54, mss, 4);
  ipSum = add(packet + 14, 20, 0);
  tcpSum = add(packet + 34, 24, add(packet + 26, 8, 6 + 24));
}

static void fill(uint8_t* frame, uint32_t number) {
  memcpy(frame, packet, kSize);
  uint32_t address = htonl(0x0a800000u + (number & 0x7fffff)), sequence = htonl(number * 2654435761u);
  uint16_t port = htons((uint16_t)(1024 + number / 0x800000));
  memcpy(frame + 26, &address, 4);
  memcpy(frame + 34, &port, 2);
  memcpy(frame + 38, &sequence, 4);
  uint32_t source = add(frame + 26, 4, 0);
  uint16_t sum = fold(ipSum + source);
  memcpy(frame + 24, &sum, 2);
  sum = fold(tcpSum + source + add(frame + 34, 2, 0) + add(frame + 38, 4, 0));
  memcpy(frame + 50, &sum, 2);
}

static long sendBatches(long count) {
  static uint8_t frames[kBatch][kFrame];
  struct iovec parts[kBatch];
  struct mmsghdr messages[kBatch] = {0};
  for (int at = 0; at < kBatch; at++) {
    parts[at] = (struct iovec){frames[at], kSize};
    messages[at].msg_hdr.msg_iov = &parts[at];
    messages[at].msg_hdr.msg_iovlen = 1;
  }
  long sent = 0;
  while (sent < count) {
    int batch = count - sent < kBatch ? (int)(count - sent) : kBatch;
    for (int at = 0; at < batch; at++) fill(frames[at], (uint32_t)(sent + at));
    int done = sendmmsg(kSocket, messages, (unsigned)batch, 0);
    if (done < 0 && errno != ENOBUFS && errno != EAGAIN) return -1;
    if (done > 0) sent += done;
  }
  return sent;
}

static long sendRing(long count, int index) {
  int version = TPACKET_V2;
  setsockopt(kSocket, SOL_PACKET, PACKET_VERSION, &version, sizeof version);
  struct tpacket_req request = {
      .tp_block_size = 1 << 16, .tp_block_nr = kFrame * kFrames >> 16, .tp_frame_size = kFrame, .tp_frame_nr = kFrames};
  if (setsockopt(kSocket, SOL_PACKET, PACKET_TX_RING, &request, sizeof request) < 0) return -1;
  uint8_t* ring = mmap(NULL, (size_t)kFrame * kFrames, PROT_READ | PROT_WRITE, MAP_SHARED, kSocket, 0);
  if (ring == MAP_FAILED) return -1;
  struct sockaddr_ll to = {
      .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP), .sll_ifindex = index, .sll_halen = 6};
  long sent = 0;
  while (sent < count) {
    int batch = 0;
    for (; batch < 1024 && sent + batch < count; batch++) {
      struct tpacket2_hdr* header = (void*)(ring + (size_t)((sent + batch) % kFrames) * kFrame);
      if (__atomic_load_n(&header->tp_status, __ATOMIC_ACQUIRE) != TP_STATUS_AVAILABLE) break;
      fill((uint8_t*)header + TPACKET2_HDRLEN - sizeof(struct sockaddr_ll), (uint32_t)(sent + batch));
      header->tp_len = kSize;
      __atomic_store_n(&header->tp_status, TP_STATUS_SEND_REQUEST, __ATOMIC_RELEASE);
    }
    if (sendto(kSocket, NULL, 0, 0, (void*)&to, sizeof to) < 0 && errno != ENOBUFS && errno != EAGAIN) return -1;
    sent += batch;
  }
  return sent;
}

int main(int argc, char** argv) {
  if (argc < 8) return 2;
  long count = atol(argv[2]);
  template(argv + 4);
  struct sock_filter nothing = {BPF_RET | BPF_K, 0, 0, 0};
  struct sock_fprog filter = {1, &nothing};
  int one = 1;
  setsockopt(kSocket, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter);
  setsockopt(kSocket, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one);
  setsockopt(kSocket, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof one);
  struct timespec start, end;
  clock_gettime(CLOCK_MONOTONIC, &start);
  long sent = strcmp(argv[1], "ring") == 0 ? sendRing(count, atoi(argv[3])) : sendBatches(count);
  clock_gettime(CLOCK_MONOTONIC, &end);
  if (sent < 0) {
    perror("syn-sender");
    return 1;
  }
  printf("%.6f\n", (end.tv_sec - start.tv_sec) + (end.tv_nsec - start.tv_nsec) / 1e9);
  return 0;
}

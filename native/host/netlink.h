#pragma once
#include <cstdint>
#include <string>

// The few rtnetlink and interface requests that a Lab's link needs (rtnetlink(7), netdevice(7)).
// Each throws Failure{step, …}.
namespace one_listener {

// Makes a veth pair: `near` in this network namespace, `far` in the one behind farNamespaceFd.
void CreateVethPair(const char* near, const char* far, int farNamespaceFd);

// IFF_UP, and IFF_NOARP where asked: the peer has no stack that could answer ARP.
void BringUp(const char* interface, bool noArp);

// Waits until the operational state is UP: packets sent before are dropped without a trace.
void WaitUntilRunning(const char* interface, int milliseconds);

// Checksums are computed and segments cut before a frame enters the link, so that what the far end sees is what a cable
// would carry.
void DisableOffloads(const char* interface);

int InterfaceIndex(const char* interface);
std::string HardwareAddress(const char* interface);

// Adds address/32 to the interface and routes network/prefix through it by one gateway, so that millions of
// peers share one neighbour entry (arp_tbl holds about a thousand).
void AddAddressAndRoute(const char* interface, uint32_t address, uint32_t gateway, uint32_t network, int prefix);

}  // namespace one_listener

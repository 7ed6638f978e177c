{
  "target_defaults": {
    "cflags_cc": ["-std=c++17", "-Wall", "-Wextra", "-O2", "-fvisibility=hidden"],
    "cflags_cc!": ["-fno-exceptions", "-fno-rtti", "-std=gnu++17", "-std=gnu++20"],
    "cflags!": ["-fno-exceptions"],
    "include_dirs": ["."],
  },
  "targets": [
    {
      "target_name": "one_listener",
      "sources": [
        "addon/addon.cc",
        "addon/arguments.cc",
        "addon/system_error.cc",
        "addon/host_link.cc",
        "addon/sockets.cc",
        "addon/poll.cc",
        "addon/diag.cc",
        "addon/counter_file.cc",
        "addon/sampling.cc",
        "addon/sampler.cc",
        "addon/crowd.cc",
        "addon/clients.cc",
        "addon/acceptor.cc",
        "addon/mirroring.cc",
        "addon/mirror.cc",
      ],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
      "defines": ["NAPI_VERSION=9", "NAPI_CPP_EXCEPTIONS", "NODE_ADDON_API_DISABLE_DEPRECATED"],
    },
    {
      "target_name": "lab-host",
      "type": "executable",
      "sources": ["host/main.cc", "host/namespaces.cc", "host/netlink.cc", "host/requests.cc", "host/children.cc"],
    },
  ],
}

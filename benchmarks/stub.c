/* An OpenAI-compatible endpoint whose true times are known, and which is never the bottleneck.
 *
 *     cc -O2 -o stub stub.c && ./stub [CHUNKS [GAP_US [PROCESSES]]]
 *
 * It prints its base URL. A whole reply takes 50 to 70 ms. A stream has CHUNKS chunks (100, up to a
 * half more or less), GAP_US (10,000, up to a fifth more or less) apart, and the first as long after
 * its request. Each token says in its text when its request had come and when it was sent itself, so
 * that who keeps the text keeps the truth with it: CLOCK_MONOTONIC, in ns, as `CAME:SENT `. Each of its
 * PROCESSES (1) has one thread; loopback alone, bodies with Content-Length; Linux 5.11 or later.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 4096, ROOM = 1 << 16, FASTEST = 50000000, SPREAD = 20000000 };
#define JSON_HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s"
#define STREAM_HEAD                                                                                \
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
#define REPLY                                                                                      \
    "{\"id\":\"c-1\",\"object\":\"chat.completion\",\"created\":0,\"model\":\"stub\",\"choices\":" \
    "[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"{\\\"name\\\": \\\"Li Na\\\"" \
    ", \\\"age\\\": 34, \\\"city\\\": \\\"Chengdu\\\"}\"},\"finish_reason\":\"stop\"}],\"usage\":" \
    "{\"prompt_tokens\":12,\"completion_tokens\":100,\"total_tokens\":112}}"
#define MODELS                                                                                     \
    "{\"object\":\"list\",\"data\":[{\"id\":\"stub\",\"object\":\"model\",\"created\":0,"          \
    "\"owned_by\":\"stub\"}]}"
#define CHUNK                                                                                      \
    "data: {\"id\": \"c-%ld\", \"object\": \"chat.completion.chunk\", \"created\": 0, \"model\": " \
    "\"stub\", \"choices\": [{\"index\": 0, \"delta\": %s, \"finish_reason\": %s}]}\n\n"

typedef struct {
    char data[ROOM];
    int size, left; /* bytes of the request so far; chunks that are still to be sent */
    int streams;
    long came, due; /* when the request had come; when the next bytes are due, 0 for never */
} Connection;

static Connection *connections[MOST];
static int chunks = 100;
static long gap = 10000000;

static long now(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec * 1000000000L + at.tv_nsec;
}

/* Between chunks: by a fifth more or less, so that streams which began together drift apart. */
static long wait_between(void) { return gap - gap / 5 + random() % (2 * gap / 5 + 1); }

static void put(int fd, const char *text, size_t size) {
    while (size) {
        ssize_t sent = send(fd, text, size, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN && errno != EINTR)
            return; /* The client has gone: the next read says so. */
        if (sent > 0)
            text += sent, size -= sent;
    }
}

static void put_json(int fd, const char *body) {
    char response[2048];
    put(fd, response, snprintf(response, sizeof response, JSON_HEAD, strlen(body), body));
}

static int framed(char *out, size_t room, long came, const char *delta, const char *finish) {
    char body[512];
    int size = snprintf(body, sizeof body, CHUNK, came, delta, finish);
    return snprintf(out, room, "%x\r\n%s\r\n", size, body);
}

/* Answer a whole request: say when the first bytes are due. */
static void begin(int fd, Connection *on, const char *body) {
    on->came = now();
    if (!strncmp(on->data, "GET", 3)) {
        put_json(fd, MODELS);
        return;
    }
    on->streams = strstr(body, "\"stream\": true") || strstr(body, "\"stream\":true");
    on->left = on->streams ? chunks / 2 + random() % (chunks + 1) : 1;
    on->due = on->came + (on->streams ? wait_between() : FASTEST + random() % SPREAD);
    if (on->streams)
        put(fd, STREAM_HEAD, strlen(STREAM_HEAD));
}

static void go_on(int fd, Connection *on) {
    char out[2048], token[64];
    if (!on->streams) {
        on->due = 0;
        put_json(fd, REPLY);
        return;
    }
    snprintf(token, sizeof token, "{\"content\": \"%ld:%ld \"}", on->came, now());
    int size = framed(out, sizeof out, on->came, token, "null");
    on->due += wait_between();
    if (!--on->left) {
        on->due = 0;
        size += framed(out + size, sizeof out - size, on->came, "{}", "\"stop\"");
        size += snprintf(out + size, sizeof out - size, "e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n");
    }
    put(fd, out, size);
}

static void take(int fd) {
    Connection *on = connections[fd];
    for (;;) {
        ssize_t got = recv(fd, on->data + on->size, ROOM - 1 - on->size, MSG_DONTWAIT);
        if (got < 0 && errno == EAGAIN)
            return;
        if (got <= 0) {
            close(fd);
            free(on);
            connections[fd] = NULL;
            return;
        }
        on->size += got;
        on->data[on->size] = 0;
        char *end = strstr(on->data, "\r\n\r\n"), *length = strcasestr(on->data, "content-length:");
        long whole = end ? end + 4 - on->data : 0;
        if (end && length && length < end)
            whole += strtol(length + 15, NULL, 10);
        if (end && on->size >= whole) {
            begin(fd, on, end);
            on->size = 0;
        }
    }
}

int main(int argc, char **argv) {
    if (argc > 1)
        chunks = atoi(argv[1]);
    if (argc > 2)
        gap = atol(argv[2]) * 1000;
    prctl(PR_SET_TIMERSLACK, 1);
    int door = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), polling, one = 1;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    if (bind(door, (struct sockaddr *)&at, size) || listen(door, 1024))
        return perror("stub"), 1;
    getsockname(door, (struct sockaddr *)&at, &size);
    printf("http://127.0.0.1:%d/v1\n", ntohs(at.sin_port));
    fflush(stdout);
    for (int more = argc > 3 ? atoi(argv[3]) : 1; more > 1; more--)
        if (!fork()) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            break;
        }
    polling = epoll_create1(0);
    epoll_ctl(polling, EPOLL_CTL_ADD, door,
              &(struct epoll_event){.events = EPOLLIN | EPOLLEXCLUSIVE, .data.fd = door});
    for (;;) {
        long next = now() + 1000000000L, then;
        for (int fd = 0; fd < MOST; fd++)
            if (connections[fd] && connections[fd]->due && connections[fd]->due < next)
                next = connections[fd]->due;
        struct epoll_event events[256];
        long wait = next - now() > 0 ? next - now() : 0;
        struct timespec most = {wait / 1000000000L, wait % 1000000000L};
        int many = epoll_pwait2(polling, events, 256, &most, NULL);
        for (int each = 0; each < many; each++) {
            int fd = events[each].data.fd;
            if (fd != door) {
                take(fd);
                continue;
            }
            while ((fd = accept4(door, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
                if (fd >= MOST || !(connections[fd] = calloc(1, sizeof(Connection)))) {
                    close(fd);
                    continue;
                }
                setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                struct epoll_event in = {.events = EPOLLIN, .data.fd = fd};
                epoll_ctl(polling, EPOLL_CTL_ADD, fd, &in);
            }
        }
        then = now();
        for (int fd = 0; fd < MOST; fd++)
            if (connections[fd] && connections[fd]->due && connections[fd]->due <= then)
                go_on(fd, connections[fd]);
    }
}

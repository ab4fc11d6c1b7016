/* problem.h - errors as RFC 9457 problem details: one table of codes with status and titles.
 *
 * A code is the protocol's (est_code, positive) or one of the gateway's own, which begin at 1000.
 * Each is described at GET /v1/problems/CODE, which is what a problem's `type` points to.
 */
#ifndef GATEWAY_PROBLEM_H
#define GATEWAY_PROBLEM_H

#include <estelam/types.h>
#include <jansson.h>

/*  name, number, HTTP status, layer, title, advice, title_fa */
#define GATEWAY_CODES(X)                                                                                     \
    X(UNAUTHENTICATED, 1000, 401, REQUESTER, "no valid token", "send `Authorization: Bearer TOKEN`",         \
      "نشانه معتبری فرستاده نشده است")                                                                       \
    X(TOKEN_EXPIRED, 1001, 401, REQUESTER, "the token has expired", "ask for a new one",                     \
      "اعتبار نشانه به پایان رسیده است")                                                                     \
    X(TOKEN_REVOKED, 1002, 401, REQUESTER, "the token is revoked", "ask for a new one", "نشانه باطل شده است") \
    X(SCOPE_MISSING, 1003, 403, REQUESTER, "the token has not the scope for this",                           \
      "ask for a token with the scope that the detail names", "دامنه دسترسی نشانه این کار را در بر نمی‌گیرد") \
    X(MALFORMED_JSON, 1010, 400, REQUESTER, "the body is not one JSON object",                               \
      "send one UTF-8 JSON object, no key twice", "محتوا یک شیء JSON درست نیست")                             \
    X(INVALID_REQUEST, 1011, 422, REQUESTER, "the request's fields are not as they should be",               \
      "mend every defect listed and send it again", "فیلدهای درخواست درست نیست")                             \
    X(INVALID_QUERY, 1012, 400, REQUESTER, "the query string is not as it should be",                        \
      "see the detail and /v1/openapi.yaml", "پارامترهای نشانی درست نیست")                                   \
    X(INVALID_HEADER, 1013, 400, REQUESTER, "a header is not as it should be", "see the detail",             \
      "یکی از سرآیندها درست نیست")                                                                           \
    X(HEADER_MISSING, 1014, 400, REQUESTER, "a required header is missing", "see the detail",                \
      "سرآیند لازم فرستاده نشده است")                                                                        \
    X(DUPLICATE_HEADER, 1015, 400, REQUESTER, "a header that may stand once came twice", "send it once",     \
      "سرآیندی که یک بار می‌آید دو بار آمده است")                                                             \
    X(HEADERS_TOO_LARGE, 1016, 431, REQUESTER, "the headers are too large", "send fewer or shorter headers",  \
      "سرآیندها بزرگ‌تر از اندازه مجاز است")                                                                  \
    X(BODY_TOO_LARGE, 1017, 413, REQUESTER, "the body is too large", "send less; cite documents by digest",  \
      "محتوا بزرگ‌تر از اندازه مجاز است")                                                                     \
    X(UNSUPPORTED_ENCODING, 1018, 501, REQUESTER, "this transfer encoding is not taken",                     \
      "send Content-Length, or Transfer-Encoding: chunked alone", "این شیوه انتقال پذیرفته نمی‌شود")          \
    X(UNSUPPORTED_MEDIA_TYPE, 1019, 415, REQUESTER, "the body is not declared as JSON",                      \
      "send `Content-Type: application/json`", "نوع محتوا JSON اعلام نشده است")                              \
    X(NO_SUCH_PATH, 1020, 404, REQUESTER, "there is nothing at this path", "see /v1/openapi.yaml",           \
      "چیزی در این نشانی نیست")                                                                              \
    X(METHOD_NOT_ALLOWED, 1021, 405, REQUESTER, "this path has not that method",                             \
      "use one of the methods in Allow", "این نشانی چنین متدی ندارد")                                        \
    X(RATE_LIMITED, 1030, 429, REQUESTER, "too many requests of this account", "wait as Retry-After says",   \
      "درخواست‌های این حساب بیش از اندازه است")                                                               \
    X(NO_OPERATOR, 1040, 503, BROKER, "this gateway has no operator account for that",                       \
      "ask its operator to set `feed:` in gateway.yaml", "این دروازه حساب بهره‌بردار ندارد")                  \
    X(NO_CATALOGUE, 1041, 503, BROKER, "this gateway has no catalogue",                                      \
      "ask its operator to set `catalogue:` in gateway.yaml", "این دروازه کاتالوگ ندارد")                    \
    X(STREAMS_FULL, 1042, 503, BROKER, "too many event streams", "try again later, or follow fewer",         \
      "شمار جریان‌های رویداد به حد خود رسیده است")                                                            \
    X(GATEWAY_STOPPING, 1043, 503, BROKER, "the gateway is stopping", "try again in a moment",               \
      "دروازه در حال خاموش شدن است")                                                                         \
    X(TOKENS_UNREADABLE, 1044, 503, LOCAL, "the gateway cannot read its tokens",                            \
      "ask its operator to look at the gateway's log", "دروازه نمی‌تواند نشانه‌ها را بخواند")                  \
    X(NO_TESTS, 1045, 503, BROKER, "this gateway has no samples to test with",                               \
      "ask its operator to set `tests:` in gateway.yaml", "این دروازه نمونه‌ای برای استعلام آزمایشی ندارد")   \
    X(NO_WEBHOOK, 1046, 404, REQUESTER, "the account has no such webhook or message",                        \
      "see GET /v1/webhooks", "این حساب چنین وب‌هوک یا پیامی ندارد")                                          \
    X(LINE_FULL, 1047, 503, BROKER, "too many requests of this account wait for the broker",                 \
      "try again as Retry-After says", "درخواست‌های منتظر پاسخ این حساب بیش از اندازه است")                   \
    X(GATEWAY_FAULT, 1048, 500, BROKER, "the gateway is at fault", "report it with the gateway's log",       \
      "ایراد از دروازه است")                                                                                 \
    X(UNSUPPORTED_CONTENT_ENCODING, 1049, 415, REQUESTER, "the body is encoded",                             \
      "send it as it is, without `Content-Encoding`", "محتوا فشرده یا کدگذاری شده است")

enum gateway_code {
#define GATEWAY_CODE_ENUM(name, number, status, layer, title, advice, title_fa) GW_##name = (number),
    GATEWAY_CODES(GATEWAY_CODE_ENUM)
#undef GATEWAY_CODE_ENUM
};

struct problem {
    int code;
    const char *name, *title, *title_fa, *advice;
    unsigned status;
    enum est_layer layer;
};

/* Either sign; what is in no table is told as INTERNAL. */
const struct problem *problem_of(int code);
/* By its name, NULL where there is none; by its place in the table, NULL beyond the last. */
const struct problem *problem_named(const char *name);
const struct problem *problem_at(size_t index);
/* {type, title, title_fa, status, code, layer, advice}: a new reference. The detail goes on top. */
json_t *problem_json(const struct problem *);

#endif

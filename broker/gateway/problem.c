/* problem.c - see problem.h. */
#include "problem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The protocol's codes: which status each is, and its title for Persian readers. A code that says
 * how an inquiry ended (300 … 401) never refuses a request; it is here for /v1/problems. */
#define PROTOCOL_CODES(X)                                                                                    \
    X(MALFORMED, 400, "فرمان با پروتکل نمی‌خواند")                                    \
    X(VERSION_UNSUPPORTED, 503, "نسخه پروتکل مشترکی با کارگزار نیست")                                        \
    X(TOO_LARGE, 413, "بزرگ‌تر از اندازه مجاز است")                                   \
    X(HELLO_FIRST, 503, "نشست با کارگزار برقرار نیست")                                                       \
    X(WRONG_DOOR, 403, "این فرمان از این ورودی پذیرفته نمی‌شود")            \
    X(NOT_ALLOWED, 403, "این حساب اجازه این کار را ندارد")                                                   \
    X(KEY_REVOKED, 503, "کلید حساب باطل شده یا بیرون از تاریخ اعتبار است")                                   \
    X(UNKNOWN_TYPE, 422, "چنین نوع استعلامی در کاتالوگ نیست")                                                \
    X(INVALID_BODY, 422, "محتوا با فیلدهای این نوع نمی‌خواند")                 \
    X(CONFLICT, 409, "این شناسه برای استعلام دیگری به کار رفته است")                                         \
    X(NOT_FOUND, 404, "این حساب چنین استعلامی ندارد")                                                        \
    X(ALREADY_FINAL, 409,                                                                                    \
      "استعلام پایان یافته است و پایان آن تغییر نمی‌کند")           \
    X(DEADLINE_PASSED, 422, "مهلت گذشته است")                                                                \
    X(INVALID_FIELD, 422, "مقدار یکی از فیلدها پذیرفتنی نیست")                                               \
    X(NOT_PARKED, 409, "تنها استعلام کنار گذاشته به صف بازمی‌گردد")      \
    X(BUSY, 503, "ظرفیت پر است؛ چیزی پذیرفته نشد")                                                           \
    X(DRAINING, 503, "کارگزار در حال تخلیه است")                                                             \
    X(NOT_LEADER, 503, "کارگزار دیگری پیشرو است")                                                            \
    X(STOPPING, 503, "کارگزار در حال خاموش شدن است")                                                         \
    X(SILENT_PEER, 503, "طرف ارتباط ساکت مانده است")                                                         \
    X(SLOW_PEER, 503, "طرف ارتباط آنچه را که به او می‌رسد نمی‌خواند")  \
    X(INTERNAL, 500, "ایراد از کارگزار است")                                                                 \
    X(STALE_EPOCH, 409, "ارجاع عامل پایان یافته است")                                                        \
    X(INVALID_ANSWER, 502, "پاسخ با فیلدهای پاسخ این نوع نمی‌خواند")        \
    X(AGENT_LOST, 502, "ارتباط عامل در میانه کار قطع شد")                                                    \
    X(LEASE_EXPIRED, 502, "عامل ارجاع را تمدید نکرد")                                                        \
    X(AGENT_RETRY, 502, "عامل اکنون نمی‌تواند پاسخ دهد")                           \
    X(AGENT_REFUSED, 502, "عامل این استعلام را نپذیرفت")                                                     \
    X(ATTEMPTS_EXHAUSTED, 502,                                                                               \
      "تلاش‌ها ناموفق ماند؛ استعلام کنار گذاشته شد")                   \
    X(AGENT_LEFT, 502, "عامل با خداحافظی رفت و کار را پس داد")                                                \
    X(EXPIRED, 410, "واحد تا پایان مهلت پاسخ نداد")                                                          \
    X(CANCELLED, 410, "استعلام لغو شد")                                                                      \
    X(TIMEOUT, 503, "کارگزار در زمان مقرر پاسخی نداد")                                                       \
    X(NO_MEMORY, 503, "حافظه کم است")                                                                        \
    X(UNREACHABLE, 503, "کارگزار در دسترس نیست")                                                             \
    X(CLOSED, 503, "دروازه در حال خاموش شدن است")                                                            \
    X(FULL, 503, "درخواست‌های منتظر پاسخ بیش از اندازه است")              \
    X(INPUT, 422, "ورودی نادرست است")                                                                        \
    X(IO, 503, "سیستم‌عامل نپذیرفت")

static const struct {
    int code;
    unsigned status;
    const char *title_fa;
} protocol[] = {
#define PROTOCOL_ROW(name, status, title_fa) {EST_##name, status, title_fa},
    PROTOCOL_CODES(PROTOCOL_ROW)
#undef PROTOCOL_ROW
};

static const struct problem own[] = {
#define OWN_ROW(name, number, status, layer, title, advice, title_fa)                                        \
    {number, #name, title, title_fa, advice, status, EST_LAYER_##layer},
    GATEWAY_CODES(OWN_ROW)
#undef OWN_ROW
};

enum { PROTOCOL_COUNT = sizeof protocol / sizeof protocol[0], OWN_COUNT = sizeof own / sizeof own[0] };

/* The protocol's own words come from EST_CODES, filled in once before any thread starts. */
static struct problem all[PROTOCOL_COUNT + OWN_COUNT];

__attribute__((constructor)) static void table_fill(void) {
    for (size_t i = 0; i < PROTOCOL_COUNT; i++) {
        int code = protocol[i].code;
        all[i] = (struct problem){code,
                                  est_code_name(code),
                                  est_code_text(code),
                                  protocol[i].title_fa,
                                  est_code_advice(code),
                                  protocol[i].status,
                                  est_code_layer(code)};
    }
    memcpy(all + PROTOCOL_COUNT, own, sizeof own);
}

const struct problem *problem_of(int code) {
    const struct problem *internal = NULL;
    for (size_t i = 0; i < PROTOCOL_COUNT + OWN_COUNT; i++) {
        if (all[i].code == abs(code))
            return &all[i];
        if (all[i].code == EST_INTERNAL)
            internal = &all[i];
    }
    return internal;
}

const struct problem *problem_named(const char *name) {
    for (size_t i = 0; i < PROTOCOL_COUNT + OWN_COUNT; i++)
        if (strcmp(all[i].name, name) == 0)
            return &all[i];
    return NULL;
}

const struct problem *problem_at(size_t index) {
    return index < PROTOCOL_COUNT + OWN_COUNT ? &all[index] : NULL;
}

json_t *problem_json(const struct problem *p) {
    char type[80];
    snprintf(type, sizeof type, "/v1/problems/%s", p->name);
    return json_pack("{s:s, s:s, s:s, s:i, s:s, s:s, s:s}", "type", type, "title", p->title, "title_fa",
                     p->title_fa, "status", (int)p->status, "code", p->name, "layer",
                     est_layer_name(p->layer), "advice", p->advice);
}

/* catalogue.h - the configured city: departments, inquiry types, accounts, the broker's settings.
 *
 * YAML in, immutable C structs out. Nothing of a city is in the program: districts, parcel codes,
 * purposes, departments and types all come from files. Loading reports every complaint it can
 * find, each with file:line:column and what to do; a catalogue with one complaint is not loaded.
 *
 * A type's `definition` is its own canonical text (one line of JSON made from its YAML node). A
 * changed text is a new version; the broker keeps each version's text in its store, and
 * ctype_parse makes the struct again from it, so that inquiries under way finish under the version
 * they began with.
 */
#ifndef CATALOGUE_H
#define CATALOGUE_H

#include "codec.h"
#include "yaml.h" /* struct complaints */
#include "ident.h"
#include "jalali.h"
#include "event.h" /* enum role, how many of each thing */

enum { FIELDS_MAX = 64, CHOICES_MAX = 64, ONE_OF_MAX = 8 };

/* --- Types ------------------------------------------------------------------------------------ */

enum field_kind {
    FIELD_NZ, FIELD_NID, FIELD_LID, FIELD_PC, FIELD_FN,    /* identifiers, ident.h */
    FIELD_PLQ,      /* registry plaque: map of main, sub, section, subsection (codes) */
    /* GeoJSON geometry: a map of exactly type (Point, LineString, Polygon and their Multi…) and
     * coordinates, longitude before latitude. There are no real numbers on the wire: a coordinate
     * is a decimal text of degrees ("51.3890") or an integer of 1e-7 degrees (513890000), and the
     * canonical form is the integer. 1 ... 180 of those are refused: two metres from nowhere, they are
     * degrees that somebody's program wrote as integers. Each position lies within the city's bounds. */
    FIELD_GEO,
    FIELD_M2, FIELD_RIAL, FIELD_INT,                       /* integers; m2 and rial not negative */
    FIELD_BOOL, FIELD_JD,                                  /* jd: a Jalali date */
    FIELD_ENUM,
    FIELD_DOC,      /* map of id, type, sha256 (64 hexadecimal digits, canonical in lower case) */
    FIELD_VISIT,    /* map of engineer_no, at, geo, photos (docs, at least one); all are needed. `at` is
                     * no later than today in Tehran */
    FIELD_TEXT,     /* at most 2,000 characters and 4,000 bytes */
    FIELD_CODE,     /* a number or name by which something is looked up; canonical by ident_fold_code */
    FIELD_RECORD,   /* a map with `fields` of its own */
    /* Parts of the kinds above; not for catalogue files. */
    FIELD_SHA256,
    FIELD_WHEN,     /* a Jalali date, or an RFC 3339 time, canonical in UTC: 2026-01-05T10:30:00Z */
};

struct title { const char *fa, *en; }; /* both NULL where there is none */

struct field {
    const char *name, *title_fa, *title_en;
    enum field_kind kind;
    bool required, list;                    /* list: an array of items_min ... items_max of the kind */
    bool filled;                            /* text and code: required, so there is more in it than blanks */
    unsigned items_min, items_max;
    int64_t min, max;                       /* integers; text and code: characters */
    const char **choices; size_t choices_count; /* FIELD_ENUM */
    const struct title *choice_titles;      /* one a choice */
    const struct field *fields; size_t fields_count; /* FIELD_RECORD */
    bool anywhere;                          /* FIELD_GEO: the city's bounds are not for it */
    const struct field *not_before;         /* FIELD_JD: a date beside it which this one does not precede */
};
struct schema { const struct field *fields; size_t count; };

const char *field_kind_name(enum field_kind); /* "nz" …; NULL for a part */
/* The least number, or of a text or code the fewest characters: what is to be filled has one. */
int64_t field_min(const struct field *);
/* The fields inside a value of a record, plq, doc or visit; none for the other kinds. */
struct schema field_parts(const struct field *);

enum mode { MODE_AUTOMATIC = 1, MODE_AUTOMATIC_THEN_CLERK, MODE_CLERK, MODE_VISIT };

struct ctype {
    const char *name, *title_fa, *title_en;
    const char *department;                 /* the answerer */
    const char *owner, *operator_;
    enum mode mode;
    const char *target, *statutory;         /* as written: "5 s", "1 wd", "10 cd"; shown, not yet applied */
    const char *silence;                    /* "escalate", "inside …, outside …"; shown, not yet applied */
    const char *legal_title, *legal_article, *legal_date, *legal_authority, *legal_mark;
    uint32_t purposes;                      /* bits of the city's purposes it may be asked for */
    bool confidential;                      /* of operators an administrator alone sees its inquiries */
    uint32_t outcomes;                      /* bit (1 << est_outcome) of each it may be answered with */
    est_span expires;                       /* from receipt; the end of waiting */
    const char **reasons; size_t reasons_count; /* the answerer's declared reason codes */
    const struct title *reason_titles;      /* one a code */
    struct schema request, reply;
    uint64_t one_of[ONE_OF_MAX]; size_t one_of_count; /* bits of request fields, one of which at least is there */
    const char *definition;
};

struct department { const char *name, *title_fa, *title_en; bool outside; };

/* --- Accounts --------------------------------------------------------------------------------- */

/* Good from the first instant of the one day in Tehran to the end of the other: `until` is the first instant after it.
 * 0: without bound. Files name the days as 2026-01-01 or 1404/10/11. */
struct key { uint8_t public_key[32]; char text[41]; est_time from, until; };
/* An account's grants are sorted by type, "every type" first, and name a type once. A department's
 * `answers: all` is written out as the types that it answers. */
struct grant { const char *type; /* NULL: every type */ uint32_t purposes; };
struct account {
    const char *name, *title;
    enum role role;
    enum est_level level;                   /* ROLE_OPERATOR; `operator` when not said */
    const char *department;                 /* ROLE_DEPARTMENT */
    const struct grant *grants; size_t grants_count; /* what it may ask, or (purposes all ones) answer */
    uint64_t districts[16];                 /* ROLE_DEPARTMENT; all ones when not said; bit 0: no parcel */
    const struct key *keys; size_t keys_count;
};

/* --- The whole -------------------------------------------------------------------------------- */

/* In 1e-7 degrees. East is beyond west: no city lies on the date line. */
struct bounds { int64_t west, south, east, north; };

struct city {
    const char *name, *title_fa, *title_en;
    struct parcel_rule parcel;
    bool is_bounded; struct bounds bounds;  /* where every position of a geometry lies */
    unsigned districts_last;                /* 0 ... 1,023 */
    const char *purposes[PURPOSES_MAX]; size_t purposes_count; /* in the file's order, which may change: the record has numbers of its own */
};

struct listener { const char *endpoint; /* tcp://127.0.0.1:7501 */ };

struct broker_settings {
    const char *store;                      /* directory; relative paths are from broker.yaml's own */
    uint64_t store_size_max;
    const char *index;                      /* directory; NULL: no search */
    bool curve;                             /* false: PLAIN, for loopback and ipc only; refused elsewhere */
    uint8_t secret_key[32], public_key[32]; /* of the server, read from the file `key:` names */
    struct listener requesters, departments, operators;
    /* limits; 0: the program's default */
    uint64_t inquiries_max, account_open_max, sessions_max, window_max, attempts_max;
    uint64_t lease_ms, heartbeat_ms, retry_first_ms, retry_max_ms;
};

struct catalogue {
    struct city city;
    const struct department *departments; size_t departments_count; /* sorted by name */
    const struct ctype *types; size_t types_count;                  /* sorted by name */
    const struct account *accounts; size_t accounts_count;          /* sorted by name; empty for catalogue_load_city */
    struct broker_settings broker;                                  /* zero for catalogue_load_city */
};

/* A broker.yaml: settings, the catalogue's folder and the accounts file that it names.
 * 0, or -EST_INPUT with complaints. */
int catalogue_load(const char *broker_yaml, struct catalogue **ret, struct complaints *);
/* A catalogue's folder alone: city.yaml, departments.yaml, types/ *.yaml. */
int catalogue_load_city(const char *folder, struct catalogue **ret, struct complaints *);
void catalogue_free(struct catalogue **);

const struct ctype *catalogue_type(const struct catalogue *, est_slice name);       /* NULL when none */
const struct department *catalogue_department(const struct catalogue *, est_slice name);
const struct account *catalogue_account(const struct catalogue *, est_slice name);
int city_purpose(const struct city *, est_slice name);  /* index, or -1 */

/* A type from a stored definition. The city gives purposes and the parcel rule. 0 or -EST_INPUT. */
int ctype_parse(est_slice definition, const struct city *, struct ctype **ret);
void ctype_free(struct ctype **);

/* --- Bodies ----------------------------------------------------------------------------------- */

struct defects { size_t count; /* all found */ size_t kept; est_defect at[EST_DEFECTS_MAX]; };

/* Checks a request body (a msgpack map) against the type: closed, every defect reported. Appends
 * the canonical body to `ret_body`: fields in the schema's order, digits Latin, identifiers
 * canonical, codes folded. Digits inside free text stay as they were written. *ret_district: the district of the
 * first parcel code or file number, 0 when it has none. True where there is no defect; then
 * `ret_body` holds the whole body, else it is as it was. A nil value is an absent field. Values of
 * the body never stand in a defect's text: it may go into a log. `now` is the broker's clock. City NULL: parcels and
 * files of any city, for a body that comes again when the city's rule may be another than it was checked by; one that
 * was good then comes out the same, in any city. */
bool ctype_check_request(const struct ctype *, const struct city *, est_time now, est_slice body, struct buffer *ret_body,
                         unsigned *ret_district, struct defects *);
/* The same for a reply. Only a positive, negative or conditional outcome must have the required
 * fields, and something in them. The outcome must be one of the type's; a negative one needs a reason that the type
 * declares (where it declares any), and no outcome may have another; valid_until must be a Jalali
 * date that is not over in Tehran, or empty, and its canonical form comes out. An empty slice is an empty body. */
bool ctype_check_reply(const struct ctype *, const struct city *, est_time now, uint64_t outcome, est_slice reason,
                       est_slice valid_until, est_slice body, struct buffer *ret_body, char ret_valid_until[11], struct defects *);

/* Does the body that came again say what the stored one says? Both are brought into today's canonical form,
 * without the rules on what may be said: what was stored before a rule or a way of folding came in still
 * matches what is sent again; so does what was stored under another rule of parcels, with city NULL. `scratch` is for
 * nothing but that. */
bool ctype_same_request(const struct ctype *, const struct city *, est_slice body, est_slice stored,
                        struct defects *scratch);
/* The same for a reply and its valid_until. */
bool ctype_same_reply(const struct ctype *, const struct city *, est_slice valid_until, est_slice body,
                      est_slice stored_valid_until, est_slice stored, struct defects *scratch);

/* --- Profiles: how a far end's program finds its broker (client.yaml, agent.yaml). ------------ */

/* Z85 text of a CURVE key, 40 characters. */
bool key_text_parse(est_slice text, uint8_t ret_key[32]);
/* A key file as `estelam key new` writes it: `public:` and, with a secret, `secret:`. The secret's
 * file must not be readable by others. 0 or -EST_INPUT, *ret_why a sentence that lives until this thread's next call. */
int key_file_load(const char *path, uint8_t ret_public[32], uint8_t ret_secret[32], const char **ret_why);

#endif

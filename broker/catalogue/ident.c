/* ident.c - the rules of each identifier, and where they come from.
 *
 *   national id    ten digits; r = sum of digit i times (10 - i), i = 0 … 8, mod 11; the last digit is
 *                  r below 2, else 11 - r. Every repeated digit passes that sum and is refused by
 *                  itself, and so are six zeros in digits 4 … 9. (computerteacher.ir, megsoft.blog.ir,
 *                  persian-tools.) Prefixes are not checked: every list of them went stale.
 *   legal id       eleven digits; d = digit 10 plus 2; r = sum of (digit i + d) times 29, 27, 23, 19,
 *                  17, repeated, mod 11, and 10 counts as 0. (persian-tools, iran-asp.ir)
 *   postal code    ten digits; the first five have no 0 and no 2, the fifth is no 5, the sixth no 0,
 *                  the last four are not 0000. It has no check digit: only the post knows whether it
 *                  exists. (khabarkhan.molisy.ir, persian-tools)
 *   parcel code    hyphenated integers, the city's own number and widths of them. Tehran: District-
 *                  Region-Block-House-Building-Apartment-Shop, 0 where there is none.
 *   file number    the city's own number of digits, the first two the district. (tafit.ir)
 */
#include "ident.h"

#include <string.h>

enum { PARTS_MAX = 8, HIERARCHY_PARTS = 7 };

/* The Latin digit that begins at `at`, and how many bytes it takes; 0 where it is none. */
static size_t digit_at(const unsigned char *at, size_t left, char *ret_digit) {
    if (*at >= '0' && *at <= '9') {
        *ret_digit = (char)*at;
        return 1;
    }
    if (left < 2)
        return 0;
    bool persian = at[0] == 0xDB && at[1] >= 0xB0 && at[1] <= 0xB9;      /* U+06F0-06F9 */
    bool arabic_indic = at[0] == 0xD9 && at[1] >= 0xA0 && at[1] <= 0xA9; /* U+0660-0669 */
    if (!persian && !arabic_indic)
        return 0;
    *ret_digit = (char)('0' + (at[1] & 0x0F));
    return 2;
}

size_t ident_fold_digits(est_slice text, char *ret, size_t size) {
    const unsigned char *at = text.data;
    size_t used = 0;
    for (size_t left = text.size; left > 0;) {
        char digit = (char)*at;
        size_t step = *at < 0x80 ? 1 : digit_at(at, left, &digit);
        if (used == size)
            return 0;
        ret[used++] = digit;
        step = step ? step : 1;
        at += step;
        left -= step;
    }
    return used;
}

/* --- Codes ------------------------------------------------------------------------------------ */

/* The character at `at`; bytes that are no UTF-8 count one by one. */
static uint32_t point_at(const unsigned char *at, size_t left, size_t *ret_size) {
    size_t size = *at < 0xC0 ? 1 : *at < 0xE0 ? 2 : *at < 0xF0 ? 3 : 4;
    *ret_size = 1;
    if (size == 1 || size > left)
        return *at < 0x80 ? *at : 0;
    uint32_t point = *at & (0x7Fu >> size);
    for (size_t i = 1; i < size; i++)
        point = point << 6 | (at[i] & 0x3Fu);
    *ret_size = size;
    return point;
}

static bool is_mark(uint32_t c) {
    return c == 0x061C || c == 0x200B || c == 0x200E || c == 0x200F || (c >= 0x202A && c <= 0x202E) ||
           (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF;
}

static bool is_blank_or_joiner(uint32_t c) {
    return (c >= 0x09 && c <= 0x0D) || c == ' ' || c == 0xA0 || (c >= 0x2000 && c <= 0x200A) || c == 0x200C ||
           c == 0x200D || c == 0x202F || c == 0x3000;
}

bool ident_is_blank(est_slice text) {
    const unsigned char *at = text.data;
    for (size_t i = 0, size; i < text.size; i += size) {
        uint32_t point = point_at(at + i, text.size - i, &size);
        if (!is_mark(point) && !is_blank_or_joiner(point))
            return false;
    }
    return true;
}

/* The character's bytes as they are stored; no more than it has. */
static size_t code_put(const unsigned char *at, size_t size, uint32_t point, char *ret) {
    const char *persian = point == 0x064A ? "ی" : point == 0x0643 ? "ک" : NULL;
    if (digit_at(at, size, ret) == size)
        return 1;
    memcpy(ret, persian ? persian : (const char *)at, size);
    return size;
}

size_t ident_fold_code(est_slice text, char *ret) {
    const unsigned char *at = text.data;
    size_t used = 0, end = 0;
    for (size_t i = 0, size; i < text.size; i += size) {
        uint32_t point = point_at(at + i, text.size - i, &size);
        bool blank = is_blank_or_joiner(point);
        if (is_mark(point) || (blank && used == 0))
            continue;
        used += code_put(at + i, size, point, ret + used);
        end = blank ? end : used;
    }
    return end;
}

/* --- Numbers of a fixed length ---------------------------------------------------------------- */

static bool all_digits(const char *text, size_t size) {
    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
    }
    return true;
}

static bool all_equal(const char *text, size_t size) {
    for (size_t i = 1; i < size; i++) {
        if (text[i] != text[0])
            return false;
    }
    return true;
}

static bool middle_is_zero(const char *text) {
    return memcmp(text + 3, "000000", 6) == 0;
}

static const char *nid_check(const char *text, size_t size) {
    if (!all_digits(text, size))
        return "a national id has digits only";
    if (size != 10)
        return "a national id has exactly 10 digits, zeros in front included";
    if (all_equal(text, size))
        return "a national id is never one digit repeated";
    if (middle_is_zero(text))
        return "a national id never has 000000 in digits 4 to 9";
    unsigned sum = 0;
    for (unsigned i = 0; i < 9; i++)
        sum += (unsigned)(text[i] - '0') * (10 - i);
    unsigned rest = sum % 11, check = rest < 2 ? rest : 11 - rest;
    return check == (unsigned)(text[9] - '0')
               ? NULL
               : "the check digit of the national id does not fit; a digit is wrong";
}

static const char *legal_check(const char *text, size_t size) {
    static const unsigned weights[5] = {29, 27, 23, 19, 17};
    if (!all_digits(text, size))
        return "a legal-entity id has digits only";
    if (size != 11)
        return "a legal-entity id has exactly 11 digits";
    if (all_equal(text, size))
        return "a legal-entity id is never one digit repeated";
    if (middle_is_zero(text))
        return "a legal-entity id never has 000000 in digits 4 to 9";
    unsigned sum = 0, plus = (unsigned)(text[9] - '0') + 2;
    for (unsigned i = 0; i < 10; i++)
        sum += ((unsigned)(text[i] - '0') + plus) * weights[i % 5];
    unsigned check = sum % 11 % 10;
    return check == (unsigned)(text[10] - '0')
               ? NULL
               : "the check digit of the legal-entity id does not fit; a digit is wrong";
}

static const char *postal_check(const char *text, size_t size) {
    if (!all_digits(text, size))
        return "a postal code has digits only";
    if (size != 10)
        return "a postal code has exactly 10 digits";
    if (all_equal(text, size))
        return "a postal code is never one digit repeated";
    if (memchr(text, '0', 5) || memchr(text, '2', 5))
        return "the first five digits of a postal code are never 0 or 2";
    if (text[4] == '5')
        return "the fifth digit of a postal code is never 5";
    if (text[5] == '0')
        return "the sixth digit of a postal code is never 0";
    return memcmp(text + 6, "0000", 4) == 0 ? "a postal code does not end in 0000" : NULL;
}

/* --- The city's own --------------------------------------------------------------------------- */

/* Splits at hyphens into numbers. A number has 1 … digits_max digits and no zero in front; the
 * district's own width follows from its range. */
static const char *parts_read(const struct parcel_rule *rule, const char *text, size_t size,
                              unsigned ret_parts[PARTS_MAX]) {
    unsigned count = 0;
    for (size_t at = 0; at <= size; at++) {
        size_t begin = at;
        unsigned number = 0;
        for (; at < size && text[at] >= '0' && text[at] <= '9'; at++) {
            if (at - begin == 9)
                return "a part of the parcel code is too long";
            number = number * 10 + (unsigned)(text[at] - '0');
        }
        if (at < size && text[at] != '-')
            return "a parcel code has digits and hyphens only";
        if (at == begin)
            return "a part of the parcel code is empty";
        if (count == rule->parts || count == PARTS_MAX)
            return "the parcel code has too many parts";
        if (text[begin] == '0' && at - begin > 1)
            return "a part of a parcel code has no zeros in front";
        if (count + 1 != rule->district_part && at - begin > rule->digits_max)
            return "a part of the parcel code is too long";
        ret_parts[count++] = number;
    }
    return count == rule->parts ? NULL : "the parcel code has too few parts";
}

/* House, building, apartment and shop are parts 4 … 7. */
static const char *hierarchy_check(const unsigned parts[PARTS_MAX]) {
    if (parts[3] == 0 && (parts[4] || parts[5] || parts[6]))
        return "a parcel code whose house is 0 has only 0 after it";
    if (parts[5] > 0 && parts[4] == 0)
        return "a parcel code with an apartment names its building";
    return NULL;
}

static bool district_is_known(const struct parcel_rule *rule, unsigned district) {
    return district >= rule->district_first && district <= rule->district_last;
}

static const char *parcel_check(const struct parcel_rule *rule, const char *text, size_t size,
                                unsigned *ret_district) {
    unsigned parts[PARTS_MAX] = {0};
    const char *wrong = parts_read(rule, text, size, parts);
    if (wrong)
        return wrong;
    if (rule->hierarchy && rule->parts == HIERARCHY_PARTS)
        wrong = hierarchy_check(parts);
    if (!wrong && rule->district_part >= 1 && rule->district_part <= rule->parts) {
        if (!district_is_known(rule, parts[rule->district_part - 1]))
            return "the district of the parcel code is not one of this city's; is the code written in "
                   "reverse?";
        *ret_district = parts[rule->district_part - 1];
    }
    return wrong;
}

static const char *file_check(const struct parcel_rule *rule, const char *text, size_t size,
                              unsigned *ret_district) {
    if (rule->file_digits < 3)
        return "this city has no planning file numbers";
    if (!all_digits(text, size))
        return "a planning file number has digits only";
    if (size != rule->file_digits)
        return "the planning file number has not this city's number of digits";
    unsigned district = (unsigned)(text[0] - '0') * 10 + (unsigned)(text[1] - '0');
    if (!district_is_known(rule, district))
        return "the first two digits of a planning file number are a district of this city";
    *ret_district = district;
    return NULL;
}

/* --- All of them ------------------------------------------------------------------------------ */

enum ident_kind ident_kind_parse(const char *name) {
    static const struct {
        const char *name;
        enum ident_kind kind;
    } names[] = {
        {"nid", IDENT_NID},       {"lid", IDENT_LEGAL}, {"legal", IDENT_LEGAL},
        {"postal", IDENT_POSTAL}, {"pc", IDENT_POSTAL}, {"parcel", IDENT_PARCEL},
        {"nz", IDENT_PARCEL},     {"file", IDENT_FILE}, {"fn", IDENT_FILE},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i].name) == 0)
            return names[i].kind;
    }
    return 0;
}

static const char *folded_check(enum ident_kind kind, const struct parcel_rule *rule, const char *text,
                                size_t size, unsigned *ret_district) {
    if ((kind == IDENT_PARCEL || kind == IDENT_FILE) && !rule)
        return "parcel codes and file numbers need a city's rules";
    switch (kind) {
    case IDENT_NID:
        return nid_check(text, size);
    case IDENT_LEGAL:
        return legal_check(text, size);
    case IDENT_POSTAL:
        return postal_check(text, size);
    case IDENT_PARCEL:
        return parcel_check(rule, text, size, ret_district);
    case IDENT_FILE:
        return file_check(rule, text, size, ret_district);
    }
    return "there is no such kind of identifier";
}

const char *ident_check(enum ident_kind kind, const struct parcel_rule *rule, est_slice value,
                        char ret_canonical[IDENT_MAX], unsigned *ret_district) {
    char folded[IDENT_MAX];
    unsigned district = 0;
    if (value.size == 0)
        return "it is empty";
    size_t size = ident_fold_digits(value, folded, sizeof folded - 1);
    if (size == 0)
        return "it is longer than any identifier";
    const char *wrong = folded_check(kind, rule, folded, size, &district);
    if (wrong)
        return wrong;
    memcpy(ret_canonical, folded, size);
    ret_canonical[size] = '\0';
    if (ret_district)
        *ret_district = district;
    return NULL;
}

/* --- Tracking codes --------------------------------------------------------------------------- */

/* Crockford's digits take a written I or L for 1 and O for 0. The value of one, or -1. */
static int tracking_digit(char *c) {
    static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    *c = *c >= 'a' && *c <= 'z' ? (char)(*c - 32) : *c;
    *c = *c == 'O' ? '0' : *c == 'I' || *c == 'L' ? '1' : *c;
    const char *at = *c ? strchr(digits, *c) : NULL;
    return at ? (int)(at - digits) : -1;
}

bool ident_tracking(est_slice text, char ret_canonical[EST_TRACKING_MAX + 1], uint64_t *ret_number) {
    enum { CHECK = 5, NUMBER_MIN = 6 };
    char code[EST_TRACKING_MAX + 1];
    uint64_t number = 0;
    size_t size = ident_fold_digits(text, code, EST_TRACKING_MAX);
    if (size < NUMBER_MIN + 1 + CHECK || code[size - CHECK - 1] != '-')
        return false;
    for (size_t i = 0; i < size; i++) {
        int digit = i == size - CHECK - 1 ? 0 : tracking_digit(&code[i]);
        if (digit < 0 || (i < size - CHECK - 1 && number >> 59 != 0))
            return false;
        number = i < size - CHECK - 1 ? number * 32 + (uint64_t)digit : number;
    }
    memcpy(ret_canonical, code, size);
    ret_canonical[size] = '\0';
    *ret_number = number;
    return true;
}

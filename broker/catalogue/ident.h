/* ident.h - identifiers of Iranian administration: digits folded, checked, made canonical.
 *
 * Latin, Persian (U+06F0-06F9) and Arabic-Indic (U+0660-0669) digits are accepted and come out
 * Latin; any other character is refused. Each check returns NULL where the value is good, or a
 * sentence, a string constant, that says what is wrong. Sources of the rules stand in ident.c.
 */
#ifndef IDENT_H
#define IDENT_H

#include <estelam/types.h>

#define IDENT_MAX 64 /* bytes of a canonical identifier and a zero byte */

enum ident_kind { IDENT_NID = 1, IDENT_LEGAL, IDENT_POSTAL, IDENT_PARCEL, IDENT_FILE };

/* What a city says of its parcel codes and planning files (city.yaml). */
struct parcel_rule {
    unsigned parts;           /* hyphenated integers, 1 ... 8; Tehran: 7 */
    unsigned district_part;   /* which part is the district, from 1; 0: codes carry none */
    unsigned digits_max;      /* of each part but the district's; Tehran: 5 */
    unsigned district_first, district_last; /* Tehran: 1, 22 */
    bool hierarchy;           /* house 0: all after it 0; apartment above 0: building above 0 (needs 7 parts) */
    unsigned file_digits;     /* of a planning file number, district first in two digits; Tehran 11; 0: not used */
};

/* "nid", "lid" (also "legal"), "postal" (also "pc"), "parcel" (also "nz"), "file" (also "fn"); 0 when none. */
enum ident_kind ident_kind_parse(const char *name);

/* `rule` matters for parcels and files only. ret_canonical is set where the value is good.
 * ret_district: of a parcel or file, 0 for the others; may be NULL. */
const char *ident_check(enum ident_kind, const struct parcel_rule *rule, est_slice value,
                        char ret_canonical[IDENT_MAX], unsigned *ret_district);

/* Digits of the three scripts to Latin, everything else as it is. Bytes written; 0 where `size`
 * does not suffice or the text is empty. */
size_t ident_fold_digits(est_slice text, char *ret, size_t size);

/* A tracking code as a person has it, 00010j-9qx2m: made canonical, with the number that it says. Whether it is the code of
 * that inquiry only the broker can tell, whose secret its second half is made with: STATUS_IS has the right one. False
 * where it is no such code. */
bool ident_tracking(est_slice text, char ret_canonical[EST_TRACKING_MAX + 1], uint64_t *ret_number);

/* A code as it is stored and looked up, however it was typed: digits of the three scripts Latin, the
 * Arabic letters ي and ك the Persian ی and ک, no marks that show nothing (bidi marks and isolates, U+061C,
 * U+200E-200F, U+202A-202E, U+2066-2069; U+200B; U+FEFF), and at both ends neither blanks (U+0009-000D,
 * U+0020, U+00A0, U+2000-200A, U+202F, U+3000) nor joiners (U+200C, U+200D). What stands inside stays. `ret`
 * has room for as many bytes as the text has. Bytes written; 0: there is nothing but blanks. */
size_t ident_fold_code(est_slice text, char *ret);
/* Nothing in it but the blanks, joiners and marks above. */
bool ident_is_blank(est_slice text);

#endif

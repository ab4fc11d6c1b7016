/* defect.c - see defect.h. */
#include "defect.h"
#include "yaml.h" /* text_trim */

#include <estelam/types.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { SENTENCE_MAX = 4 * EST_DEFECT_TEXT_MAX, NUMBER_MAX = 48 };

/* --- Words ------------------------------------------------------------------------------------- */

struct word {
    const char *name, *says;
};

static const char *word_find(const struct word *words, size_t count, const char *name) {
    for (size_t i = 0; name && i < count; i++)
        if (strcmp(words[i].name, name) == 0)
            return words[i].says;
    return NULL;
}
#define WORD_FIND(words, name) word_find(words, sizeof(words) / sizeof(words)[0], name)

/* By the kind of the defect, where the field tells nothing nearer. */
static const struct word of_defect[] = {
    {"unknown", "چنین فیلدی تعریف نشده است"},
    {"missing", "این فیلد لازم است و خالی است یا فرستاده نشده است"},
    {"duplicate", "این فیلد بیش از یک بار آمده است"},
    {"type", "نوع مقدار درست نیست"},
    {"range", "بیرون از بازه مجاز است"},
    {"length", "طول آن پذیرفتنی نیست"},
    {"format", "درست نوشته نشده است"},
    {"checksum", "رقم کنترل آن نمی‌خواند؛ رقم‌ها را بازبینی کنید"},
    {"choice", "یکی از گزینه‌های مجاز نیست"},
    {"memory", "کارگزار حافظه کافی ندارد؛ دوباره بفرستید"},
};

/* What a value of the field's kind is. */
static const struct word of_type[] = {
    {"nz", "باید متن باشد"},
    {"nid", "باید متن باشد تا صفرهای آغاز بماند"},
    {"lid", "باید متن باشد تا صفرهای آغاز بماند"},
    {"pc", "باید متن باشد تا صفرهای آغاز بماند"},
    {"fn", "باید متن باشد تا صفرهای آغاز بماند"},
    {"jd", "باید متن باشد"},
    {"text", "باید متن باشد"},
    {"code", "باید متن باشد تا صفرهای آغاز بماند"},
    {"enum", "باید متن باشد"},
    {"m2", "باید عدد صحیح باشد"},
    {"rial", "باید عدد صحیح باشد"},
    {"int", "باید عدد صحیح باشد"},
    {"bool", "باید true یا false باشد"},
    {"plq", "باید یک شیء باشد"},
    {"geo", "باید یک شیء باشد"},
    {"doc", "باید یک شیء باشد"},
    {"visit", "باید یک شیء باشد"},
    {"record", "باید یک شیء باشد"},
};

static const struct word of_format[] = {
    {"nz", "با قاعده کدهای نوسازی این شهر نمی‌خواند"},
    {"nid", "با قاعده کد ملی (ده رقم) نمی‌خواند"},
    {"lid", "با قاعده شناسه ملی (یازده رقم) نمی‌خواند"},
    {"pc", "با قاعده کدپستی (ده رقم) نمی‌خواند"},
    {"fn", "با قاعده شماره‌های پرونده این شهر نمی‌خواند"},
    {"jd", "باید تاریخ شمسی باشد، مانند ۱۴۰۴/۰۱/۳۱"},
    {"geo", "هندسه GeoJSON درستی نیست"},
    {"text", "نویسه کنترلی دارد"},
    {"code", "نویسه کنترلی دارد"},
};

/* --- Fields ------------------------------------------------------------------------------------ */

static const json_t *field_named(const json_t *fields, const char *name, size_t size) {
    for (size_t i = 0; i < json_array_size(fields); i++) {
        const json_t *field = json_array_get(fields, i);
        const char *is = json_string_value(json_object_get(field, "name"));
        if (strlen(is) == size && memcmp(is, name, size) == 0)
            return field;
    }
    return NULL;
}

/* A value of the body and the field that declares it. */
struct place {
    const json_t *field; /* the innermost one; NULL where the type has none such */
    bool exact;          /* it declares the value itself, not a map around it */
    bool element;        /* one of a list */
};

/* `plq.main`, `docs[2].id`. A part of a plaque, document or visit has no field of its own here. */
static struct place place_find(const json_t *fields, const char *path) {
    struct place place = {NULL, false, false};
    while (*path) {
        size_t size = strcspn(path, ".[");
        const json_t *field = field_named(fields, path, size);
        place.exact = field != NULL;
        if (!field)
            return place;
        path += size;
        place = (struct place){field, true, *path == '['};
        path += *path == '[' ? strcspn(path, ".") : 0;
        path += *path == '.';
        fields = json_object_get(field, "fields");
    }
    return place;
}

static int64_t number_of(const json_t *field, const char *key, int64_t otherwise) {
    const json_t *number = json_object_get(field, key);
    return number ? json_integer_value(number) : otherwise;
}

/* --- Sentences --------------------------------------------------------------------------------- */

static const char *persian(int64_t number, char ret[NUMBER_MAX]) {
    char latin[24];
    char *to = ret;
    snprintf(latin, sizeof latin, "%lld", (long long)number);
    for (const char *at = latin; *at; at++) {
        if (*at == '-')
            *to++ = '-';
        else
            *to++ = '\xDB', *to++ = (char)(0xB0 + *at - '0');
    }
    *to = '\0';
    return ret;
}

static bool bounds_say(const json_t *field, const char *unit, char *ret, size_t size) {
    int64_t min = number_of(field, "min", INT64_MIN), max = number_of(field, "max", INT64_MAX);
    char low[NUMBER_MAX], high[NUMBER_MAX];
    persian(min, low);
    persian(max, high);
    if (min != INT64_MIN && max != INT64_MAX)
        snprintf(ret, size, "باید از %s تا %s%s باشد", low, high, unit);
    else if (min != INT64_MIN)
        snprintf(ret, size, "باید دست‌کم %s%s باشد", low, unit);
    else if (max != INT64_MAX)
        snprintf(ret, size, "باید حداکثر %s%s باشد", high, unit);
    else
        return false;
    return true;
}

static bool length_say(const struct place *place, const char *kind, char *ret, size_t size) {
    char least[NUMBER_MAX], most[NUMBER_MAX];
    int64_t min = number_of(place->field, "items_min", 0);
    persian(min, least);
    persian(number_of(place->field, "items_max", 0), most);
    if (json_is_true(json_object_get(place->field, "list")) && !place->element) {
        if (min > 0)
            snprintf(ret, size, "باید از %s تا %s مورد داشته باشد", least, most);
        else
            snprintf(ret, size, "حداکثر %s مورد پذیرفته است", most);
        return true;
    }
    bool is_text = kind && (strcmp(kind, "text") == 0 || strcmp(kind, "code") == 0);
    return is_text && bounds_say(place->field, " نویسه", ret, size);
}

static bool range_say(const struct place *place, const char *kind, char *ret, size_t size) {
    const char *before = json_string_value(json_object_get(place->field, "not_before"));
    if (kind && strcmp(kind, "geo") == 0)
        snprintf(ret, size, "جایی بیرون از شهر است؛ نخست طول و سپس عرض جغرافیایی، به درجه و به صورت متن");
    else if (before)
        snprintf(ret, size, "نباید پیش از `%s` باشد", before);
    else
        return place->exact && bounds_say(place->field, "", ret, size);
    return true;
}

/* It may be left out by itself: one of its group is lacking. */
static bool missing_say(const struct place *place, char *ret, size_t size) {
    if (!place->exact || !json_is_false(json_object_get(place->field, "required")))
        return false;
    snprintf(ret, size, "این فیلد یا یکی دیگر از گروهش لازم است");
    return true;
}

static bool choices_say(const json_t *field, char *ret, size_t size) {
    const json_t *choices = json_object_get(field, "choices"),
                 *titles = json_object_get(field, "choice_titles");
    size_t used = (size_t)snprintf(ret, size, "باید یکی از این‌ها باشد");
    for (size_t i = 0; i < json_array_size(choices) && used < size; i++) {
        const char *name = json_string_value(json_array_get(choices, i));
        const char *title = json_string_value(json_object_get(json_object_get(titles, name), "title_fa"));
        if (title)
            used += (size_t)snprintf(ret + used, size - used, "%s%s (%s)", i ? "، " : ": ", title, name);
        else
            used += (size_t)snprintf(ret + used, size - used, "%s%s", i ? "، " : ": ", name);
    }
    return json_array_size(choices) > 0;
}

static bool type_say(const struct place *place, const char *kind, char *ret, size_t size) {
    bool list = json_is_true(json_object_get(place->field, "list")) && !place->element;
    const char *says = list ? "باید فهرست باشد" : WORD_FIND(of_type, kind);
    if (says)
        snprintf(ret, size, "%s", says);
    return says != NULL;
}

static bool format_say(const char *kind, char *ret, size_t size) {
    const char *says = WORD_FIND(of_format, kind);
    if (says)
        snprintf(ret, size, "%s", says);
    return says != NULL;
}

/* What the field itself has to say; false where it is nothing. */
static bool field_say(const char *defect, const struct place *place, char *ret, size_t size) {
    const char *kind = json_string_value(json_object_get(place->field, "kind"));
    if (strcmp(defect, "range") == 0)
        return range_say(place, kind, ret, size);
    if (!place->exact)
        return false;
    if (strcmp(defect, "missing") == 0)
        return missing_say(place, ret, size);
    if (strcmp(defect, "length") == 0)
        return length_say(place, kind, ret, size);
    if (strcmp(defect, "choice") == 0)
        return choices_say(place->field, ret, size);
    if (strcmp(defect, "type") == 0)
        return type_say(place, kind, ret, size);
    return strcmp(defect, "format") == 0 && format_say(kind, ret, size);
}

static void defect_persian(json_t *defect, const json_t *fields) {
    const char *kind = json_string_value(json_object_get(defect, "kind"));
    struct place place = place_find(fields, json_string_value(json_object_get(defect, "path")));
    const char *title = json_string_value(json_object_get(place.field, "title_fa"));
    const char *general = WORD_FIND(of_defect, kind);
    char sentence[SENTENCE_MAX];
    int used = title ? snprintf(sentence, sizeof sentence, "%s: ", title) : 0;
    if (!field_say(kind, &place, sentence + used, sizeof sentence - (size_t)used))
        snprintf(sentence + used, sizeof sentence - (size_t)used, "%s",
                 general ? general : "مقدار این فیلد پذیرفتنی نیست");
    text_trim(sentence);
    json_object_set_new(defect, "text_fa", json_string(sentence));
}

void defects_persian(json_t *defects, const json_t *fields) {
    for (size_t i = 0; i < json_array_size(defects); i++)
        defect_persian(json_array_get(defects, i), fields);
}

#!/bin/bash
# persian.sh - the Persian texts say one word for one idea, that of README.fa.md's glossary, and are typed as Persian is.
#
#     persian.sh ROOT        the folder of README.fa.md
set -u
cd "$1" || exit 1
export LC_ALL=C.UTF-8
failed=0 passed=0

window=(broker/console/src/text/fa.ts)
gateway=(broker/gateway/problem.c broker/gateway/problem.h broker/gateway/defect.c)
alerts=deploy/prometheus/estelam-alerts.rules.yaml
texts=(README.fa.md broker/gateway/README.md "${window[@]}" "${gateway[@]}" $alerts tests/metrics/alerts.test.yaml
    deploy/grafana/*.json deploy/{tehran,kuchak}/{city,departments}.yaml deploy/{tehran,kuchak}/types/*.yaml
    deploy/demo/agents/*.yaml)

claim() { # words, then a command that says what is wrong, if anything, and nothing else
    local words=$1 said
    shift
    if said=$("$@" 2>&1) && [ -z "$said" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $words:"
        sed 's/^/    /' <<<"$said" | cut -c1-240 | head -n 8
    fi
}
nowhere() { ! grep -nP "(*UCP)$1" "${@:2}"; } # what no line of these files has

# A word that is part of a longer one is another word: «بدنه» is not in «بدنهاد».
word() { printf '(?<!\\p{L})(?:%s)(?!\\p{L})' "$1"; }
while read -r rejected instead; do
    claim "«$rejected» is said as «$instead»" nowhere "$(word "$rejected")" "${texts[@]}"
done <<'END'
استلام استعلام
بی‌سابقه بدون سابقه
رخدادها?|رخدادهای رویداد
وقایع‌نامه دفتر رویدادها
دیرین‌ترین قدیمی‌ترین
واگذاری(?:‌ها)? ارجاع
اپراتور(?:ها)? بهره‌بردار
پرسنده|پرسندگان|درخواست‌کننده استعلام‌کننده
کنسول پیشخوان
پورتال|پرتال درگاه
بدنه محتوا
قلاب وب‌هوک
رهبر پیشرو
کنارگذاشته کنار گذاشته
درهم‌ساز چکیده
جلالی شمسی
END
claim "the catalogue is «کاتالوگ»" nowhere 'فهرست انواع|نوع استعلامی در فهرست' "${texts[@]}"
claim "a postal code is «کدپستی»" nowhere 'کد پستی' "${texts[@]}"
claim "waiting is «در نوبت», «در انتظار» only with what for" nowhere 'در انتظار(?! تلاش دوباره)(?!\p{L})' "${texts[@]}"

# «درگاه» is the city's portal; the gateway is «دروازه». Whoever is told that one of them is away looks there.
claim "the gateway is never «درگاه» with HTTP" nowhere 'درگاه (HTTP|API)|HTTP درگاه' README.fa.md broker/gateway/README.md $alerts
claim "where nobody speaks of the portal nothing is «درگاه»" nowhere "$(word 'درگاه')" "${window[@]}" "${gateway[@]}" deploy/grafana/*.json
alerts_agree() { # each annotation's English and Persian name the same of the two
    awk -v en="$1" -v fa="$2" '
        /^ *(summary|description): / { said = tolower($0) ~ en }
        /^ *(summary|description)_fa: / { if (said != (index($0, fa) > 0)) print FILENAME ":" FNR ": " $0 }' $alerts
}
claim "an alert says «دروازه» where its English says gateway" alerts_agree "(^|[^a-z])gateway" دروازه
claim "an alert says «درگاه» where its English says portal" alerts_agree "(^|[^a-z])portal" درگاه

claim "no Arabic yeh or kaf, but where it is what the sentence is about" nowhere '\p{Arabic}[يك]|[يك]\p{Arabic}' "${texts[@]}"
claim "no Arabic digits" nowhere '[\x{0660}-\x{0669}]' "${texts[@]}"
claim "no hamza over heh: نسخه پروتکل" nowhere '\x{0654}|ۀ' "${texts[@]}"
claim "no Latin comma, semicolon or question mark in Persian" nowhere '\p{Arabic}[,;?] ?\p{Arabic}' "${texts[@]}"
claim "a half-space in «می‌شود»" nowhere '(?<!\p{L})ن?می \p{Arabic}' "${texts[@]}"
claim "a half-space in «صف‌ها» and «تازه‌ترین»" nowhere '\p{Arabic} (ها|های|هایی|ترین)(?!\p{L})' "${texts[@]}"
claim "no two half-spaces, none at a word's end" nowhere '\x{200C}(\x{200C}|[ .،؛:»)"'"'"'<|]|$)' "${texts[@]}"

# The two READMEs are twins.
demo() { sed -n '/^Everything that a building permit/,/^They end with/p' "$1"; }
demo_is_whole() { [ -n "$(demo README.md)" ] && diff <(demo README.md) <(demo README.fa.md); }
commands_are_told() { # of the two, those that `./run` has
    for command in $(./run help | sed -n 's/^  \([a-z]\+\)  .*/\1/p'); do
        for file in README.md README.fa.md; do
            grep -q "\./run $command\b" $file || echo "$file: no ./run $command"
            grep -qE "(^ +run  |<code dir=\"ltr\">run</code>).*\b$command\b" $file || echo "$file: the tree's run has no $command"
        done
    done
}
rows() { awk -v from="$2" 'index($0, "## ") == 1 { mine = $0 == "## " from } mine && /^\|/' "$1" | wc -l; }
same_rows() { # section in English, in Persian
    local en fa
    en=$(rows README.md "$1") fa=$(rows README.fa.md "$2")
    ((en > 0 && en == fa)) || echo "$1: $en rows and $fa"
}
limits() { awk -v from="$2" 'index($0, from) == 1 { mine = 1 } /^## / { mine = 0 } mine && /^- /' "$1" | wc -l; }
same_limits() {
    local en fa
    en=$(limits README.md "And the limits, today") fa=$(limits README.fa.md "و محدودیت‌های امروز")
    ((en > 0 && en == fa)) || echo "$en limits and $fa"
}
claim "both READMEs show the same demonstration, to its end" demo_is_whole
claim "both READMEs tell of every command of ./run, in the tree as well" commands_are_told
claim "both READMEs make the same promises" same_rows "What you can rely on" "به چه چیز می‌توان تکیه کرد"
claim "both READMEs name the same limits" same_limits
claim "both READMEs have the same figures" same_rows "How fast" "سرعت"

echo "$passed claims hold, $failed fail"
[ $failed -eq 0 ]

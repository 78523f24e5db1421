import { Schema } from "effect"

/** ISO 3166-1 alpha-2, officially assigned (iso.org/obp/ui), and XK, by which posts and carriers know Kosovo. */
const codes = new Set(
  (
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ " +
    "CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR " +
    "GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP " +
    "KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT " +
    "MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW " +
    "SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ " +
    "UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW XK"
  ).split(" ")
)

const expected = "Expected an ISO 3166-1 alpha-2 country code such as GB"

/** ISO 3166-1 alpha-2, capital letters. */
export const Country = Schema.String.annotate({ description: "ISO 3166-1 alpha-2", examples: ["GB"] }).check(
  Schema.isPattern(/^[A-Z]{2}$/u, { message: expected }),
  Schema.makeFilter((code: string) => !/^[A-Z]{2}$/u.test(code) || codes.has(code) || expected)
)

/**
 * What postcodes look like, without the spaces and hyphens that people put in or leave out.
 *
 * From the address data that Google publishes and libaddressinput carries (chromium-i18n.appspot.com/ssl-address, CC BY),
 * widened where a post has lengthened its codes since: KH, PY, SA, TW. Islands that have one code only have no rule.
 */
const patterns: Readonly<Record<string, string>> = {
  "\\d{3}": "FO GN IS LS MG OM PG",
  "\\d{4}": "AF AL AT AU AZ BD BE BG CH CV CY DK ET GE GW HM HT HU LR LU LV MD MK MZ NE NO NZ PH SI SJ TN VE ZA",
  "\\d{5}":
    "BA BT CU CZ DE DO DZ EE EG EH ES FI FR GR GT HN HR ID IQ IT JO KE KR KW LA LK LT MA MM MN MV MX MY NA NI NP PK PL SD " +
    "SE SK SN TH TR UA UY ZM",
  "\\d{6}": "BY CN CO EC IN KG KZ NG RO RU SG TJ TM UZ",
  "\\d{7}": "CL JP PT",
  "\\d{8}": "BR",
  "\\d{10}": "IR",
  "\\d{4,5}": "TZ",
  "\\d{5,6}": "KH RS VN",
  "\\d{5}(?:\\d{4})?": "SA US",
  "\\d{4}(?:\\d{2})?": "PY",
  "\\d{3}(?:\\d{2,3})?": "TW",
  "\\d{5}(?:\\d{2})?": "IL",
  "\\d{4}(?:\\d{4})?": "LB",
  "\\d{4,5}|\\d{7}": "CR",
  "\\d{4}[A-Z]{2}": "NL",
  "[ABCEGHJKLMNPRSTVXY]\\d[ABCEGHJ-NPRSTV-Z]\\d[ABCEGHJ-NPRSTV-Z]\\d": "CA",
  "GIR0AA|BFPO\\d{1,4}|[A-Z]{1,2}\\d[\\dA-Z]?\\d[ABD-HJLN-UW-Z]{2}": "GB GG IM JE",
  "[\\dA-Z]{7}": "IE",
  "[A-HJ-NP-Z]?\\d{4}(?:[A-Z]{3})?": "AR",
  "AD[1-7]0\\d": "AD",
  "2640": "AI",
  "(?:37)?\\d{4}": "AM",
  "22\\d{3}": "AX",
  "BB\\d{5}": "BB",
  "(?:\\d|1[0-2])\\d{2}": "BH",
  "[A-Z]{2}[A-Z0-9]{2}": "BM",
  "[A-Z]{2}\\d{4}": "BN",
  "948[5-9]|949[0-8]": "LI",
  "980\\d{2}": "MC",
  "8\\d{4}": "ME",
  "[A-Z]{3}\\d{2,4}": "MT",
  "\\d{3}(?:\\d{2}|[A-Z]{2}\\d{3})": "MU",
  "LIMA\\d{1,2}|CALLAO0?\\d|[0-2]\\d{4}": "PE",
  "00[679]\\d{2}(?:\\d{4})?": "PR",
  "4789\\d": "SM",
  "[A-Z]{2}\\d{5}": "SO",
  "CP[1-3][1-7][0-2]\\d": "SV",
  "[HLMS]\\d{3}": "SZ",
  "00120": "VA",
  "[1-7]\\d{4}": "XK",
  "9[78]\\d{3}": "BL GF GP MF MQ NC PF PM RE WF YT",
  "96\\d{3}(?:\\d{4})?": "AS FM GU MH MP PW UM",
  "008\\d{2}(?:\\d{4})?": "VI",
  "39\\d{2}": "GL"
}

const postcodes = new Map(
  Object.entries(patterns).flatMap(([pattern, countries]) => {
    const whole = new RegExp(`^(?:${pattern})$`, "u")
    return countries.split(" ").map((country) => [country, whole] as const)
  })
)

/** Where nothing arrives without a postcode, by the same data; elsewhere there is none, or people do not know theirs. */
const required = new Set(
  (
    "AS AT AU AX BE BL BR CA CH CN CZ DE DK EE ES FI FM FR GB GF GG GL GP GR GU HU IM IN IT JE JP KR LI LT LU LV MF MH MP " +
    "MQ MX MY NC NL NO NZ PF PL PM PR PT PW RE RO RU SE SG SJ SK SM TR TW UA US VI WF YT ZA"
  ).split(" ")
)

/** What is wrong with a postcode in a country; a country without a rule takes anything, or nothing. */
export const postcodeProblem = (country: string, zip: string | null | undefined): string | undefined => {
  const typed = (zip ?? "").normalize("NFKC").trim().toUpperCase()
  if (typed === "") return required.has(country) ? `Expected a postcode, which addresses in ${country} need` : undefined
  const rule = postcodes.get(country)
  if (rule === undefined) return undefined
  const plain = plainOf(typed)
  // As on an envelope from abroad: D-10115, SE-113 45, LV1010.
  const bare = plain.startsWith(country) ? plain.slice(2) : plainOf(typed.replace(/^[A-Z]{1,2}\p{Pd}(?=\d)/u, ""))
  return rule.test(plain) || rule.test(bare) ? undefined : `Expected a postcode of ${country}`
}

const plainOf = (code: string) => code.replace(/[\s\p{Pd}]/gu, "")

-- District planning: the parcel code is kept in parts, as on the old paper forms.
-- All of it is made up: no row describes a real person, parcel, company or payment.
CREATE TABLE MELK (
    MANTAGHE INTEGER, HOZE INTEGER, BLOK INTEGER, MELK INTEGER,
    SAKHTEMAN INTEGER, APARTEMAN INTEGER, SENFI INTEGER,
    KARBARI    INTEGER NOT NULL,           -- 1 residential, 2 commercial, 3 office, 4 mixed
    TABAGHAT   INTEGER NOT NULL,
    TARAKOM    INTEGER NOT NULL,
    TARIZ_M2   INTEGER NOT NULL,
    PARVANDE   CHAR(1) NOT NULL,           -- B open, M closed, G blocked
    G_NOE      CHAR(2),                    -- last certificate: PS permit, PK completion, AK no-violation
    G_SHOMARE  VARCHAR(20),
    G_TARIKH   INTEGER,
    PRIMARY KEY (MANTAGHE, HOZE, BLOK, MELK, SAKHTEMAN, APARTEMAN, SENFI)
);
INSERT INTO MELK VALUES
    (1, 1, 1, 1, 0, 0, 0, 1, 2, 120, 14, 'M', 'PK', '1/4410', 13790417),
    (22, 3, 15, 40, 1, 12, 0, 1, 5, 300, 0, 'B', 'PS', '22/871', 13950930),
    (5, 2, 8, 14, 0, 0, 0, 4, 4, 240, 0, 'M', 'AK', '5/2203', 14010814),
    (12, 4, 30, 7, 0, 0, 0, 2, 1, 100, 35, 'G', NULL, NULL, NULL);

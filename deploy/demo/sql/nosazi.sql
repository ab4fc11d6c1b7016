-- Renovation and waste tax: one row per parcel and year.
-- All of it is made up: no row describes a real person, parcel, company or payment.
CREATE TABLE AVAREZ_SAL (
    KOD_NOSAZI  VARCHAR(40) NOT NULL,
    SAL         INTEGER NOT NULL,
    NOSAZI_RIAL BIGINT NOT NULL,
    PASMAND_RIAL BIGINT NOT NULL,
    PARDAKHT    CHAR(1) NOT NULL,          -- Y paid, N owed
    PRIMARY KEY (KOD_NOSAZI, SAL)
);
INSERT INTO AVAREZ_SAL VALUES
    ('1-1-1-1-0-0-0', 1401, 8400000, 1250000, 'Y'),
    ('1-1-1-1-0-0-0', 1402, 9100000, 1430000, 'N'),
    ('1-1-1-1-0-0-0', 1403, 10200000, 1610000, 'N'),
    ('22-3-15-40-1-12-0', 1403, 4200000, 880000, 'Y'),
    ('5-2-8-14-0-0-0', 1403, 12900000, 2100000, 'Y'),
    ('12-4-30-7-0-0-0', 1400, 31000000, 6400000, 'N'),
    ('12-4-30-7-0-0-0', 1401, 35500000, 7000000, 'N');

-- Revenue: the charge computed for a parcel, line by line, and the bill that was made of it.
-- All of it is made up: no row describes a real person, parcel, company or payment.
CREATE TABLE MOHASEBE (
    MOHASEBE_ID  INTEGER PRIMARY KEY,
    KOD_NOSAZI   VARCHAR(40) NOT NULL UNIQUE,
    SH_GHABZ     VARCHAR(18)
);
CREATE TABLE MOHASEBE_RIZ (
    MOHASEBE_ID  INTEGER NOT NULL REFERENCES MOHASEBE,
    RADIF        INTEGER NOT NULL,
    SHARH        VARCHAR(100) NOT NULL,
    MABLAGH      BIGINT NOT NULL,
    PRIMARY KEY (MOHASEBE_ID, RADIF)
);
INSERT INTO MOHASEBE VALUES
    (1, '1-1-1-1-0-0-0', '1234500010119'),
    (2, '5-2-8-14-0-0-0', '1234500050124');
INSERT INTO MOHASEBE_RIZ VALUES
    (1, 1, 'زیربنای مسکونی', 2840000000),
    (1, 2, 'پذیره پارکینگ', 310000000),
    (1, 3, 'آتش‌نشانی', 126000000),
    (2, 1, 'زیربنای مختلط', 9120000000);

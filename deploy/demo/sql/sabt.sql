-- Registry of deeds: one row per plaque, one per share of it. Shares are sixths (dang).
-- All of it is made up: no row describes a real person, parcel, company or payment.
CREATE TABLE PELAK (
    PELAK_ID   INTEGER PRIMARY KEY,
    ASLI       VARCHAR(12) NOT NULL,
    FAREI      VARCHAR(12) NOT NULL,
    BAKHSH     VARCHAR(12) NOT NULL,
    NAHIEH     VARCHAR(12) NOT NULL,
    BAZDASHT   CHAR(1) NOT NULL DEFAULT '0',
    RAHN       CHAR(1) NOT NULL DEFAULT '0'
);
CREATE TABLE MALEK (
    PELAK_ID   INTEGER NOT NULL REFERENCES PELAK,
    SHENASE    VARCHAR(11) NOT NULL,
    DANG       VARCHAR(12) NOT NULL
);
INSERT INTO PELAK VALUES
    (1, '3467', '112', '11', '3', '0', '0'),
    (2, '124', '5', '10', '1', '0', '1'),
    (3, '2395', '48', '2', '1', '1', '0');
INSERT INTO MALEK VALUES
    (1, '0499370899', '6/6'),
    (2, '10380284790', '6/6'),
    (3, '0790419904', '3/6'),
    (3, '2540201288', '3/6');
